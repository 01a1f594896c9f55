import type { WireError } from '../../core/contract';
import type { ChosenFile } from '../transport';

/** Where a language model is to come from. */
export type ModelOrigin =
  | { readonly kind: 'file'; readonly source: ChosenFile }
  | { readonly kind: 'hub'; readonly repository: string; readonly file?: string };

/** One import or download the user asked for, from the click on: before its job exists, and after it failed. */
export interface ModelAddition {
  /** Also the id of its job. */
  readonly id: string;
  readonly origin: ModelOrigin;
  readonly title: string;
  readonly phase: 'uploading' | 'working' | 'failed';
  /** Of an upload; 0 when nothing has to be sent. */
  readonly sentBytes: number;
  readonly totalBytes: number;
  readonly error?: WireError;
}
