import type { CacheMode } from '../../contract';

/** What `sluice generate` is asked for, as its command line gives it. */
export interface GenerateCommandOptions {
  readonly prompt: string;
  readonly system?: string;
  readonly raw?: boolean;
  readonly maxTokens?: number;
  readonly temperature: number;
  readonly topP: number;
  readonly minP: number;
  readonly seed?: number;
  readonly stop?: readonly string[];
  readonly threads?: number;
  readonly kv: CacheMode;
  readonly compressor: string;
  readonly ratio: number;
  /** Bytes. */
  readonly budget: number;
  /** Bytes; absent: all weights are loaded. */
  readonly weightsBudget?: number;
  readonly draftLength: number | 'auto';
  readonly lookup: boolean;
  /** A name of the library, a file or a folder. */
  readonly draftModel?: string;
  /** URL of a node that keeps the cache of the prompt. */
  readonly remote?: string;
  readonly remoteTokenFile?: string;
  /** The model's name there. */
  readonly remoteModel?: string;
}
