import type { MessagePort } from 'node:worker_threads';

import type { WireError } from '../../contract';
import type { Program } from '../../layering';
import type { StoredStep } from './stored-steps';

/** What the stream's thread is started with. */
export interface StreamWorkerData {
  readonly port: MessagePort;
  /** Of the environment that is open in this process. */
  readonly threads: number;
  readonly folder: string;
  /** Streamed steps, in order, as `program.steps`. */
  readonly steps: readonly StoredStep[];
  readonly program: Program;
  readonly pages: 'large' | 'small';
  /** Sessions made and not yet given back, at most. */
  readonly sessions: number;
  readonly control: StreamControl;
}

/**
 * What both threads read and write at any time.
 * Sessions are numbered from 0: number n is step n modulo the streamed steps, and passes follow each other.
 */
export interface StreamControl {
  /** Int32, see `Control`. */
  readonly flags: Int32Array;
  /** Float64, see `Total`. */
  readonly totals: Float64Array;
}

/** Positions in `StreamControl.flags`. */
export const Control = {
  /** 1: the thread is to end. */
  closing: 0,
  /** Numbers below it are not wanted any more: what was not made yet never is. */
  wantedFrom: 1,
} as const;

/** Positions in `StreamControl.totals`. */
export const Total = { readBytes: 0, readWaitMs: 1, checkMs: 2, createMs: 3 } as const;

export function createStreamControl(): StreamControl {
  return {
    flags: new Int32Array(new SharedArrayBuffer(8)),
    totals: new Float64Array(new SharedArrayBuffer(32)),
  };
}

export type StreamCommand =
  /** A session was released. In order; those that were never made are not told. */
  { readonly kind: 'given-back'; readonly number: number } | { readonly kind: 'close' };

export type StreamEvent =
  /** @property memory where the sessions' weights are: it must outlive them. */
  | { readonly kind: 'ready'; readonly memory: WebAssembly.Memory }
  /** Whoever gets it releases the session. */
  | { readonly kind: 'made'; readonly number: number; readonly pointer: bigint }
  /** Nothing more is made. */
  | { readonly kind: 'failed'; readonly error: WireError };
