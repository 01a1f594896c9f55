import type { WireError } from '../contract';
import type { StoreManifest } from './manifest';
import type { MemoryUse } from './loaded-model';
import type { Program } from './program';
import type { StopSignal } from './stop-signal';
import type { HostTensor } from './tensors';
import type { InferenceTimes } from './trace';

/** What the control thread asks of the executor thread. Answered in order. */
export type ExecutorRequest =
  | {
      readonly kind: 'load';
      readonly modelId: number;
      readonly storePath: string;
      readonly manifest: StoreManifest;
      readonly program: Program;
    }
  | {
      readonly kind: 'run';
      readonly modelId: number;
      readonly inputs: ReadonlyMap<string, HostTensor>;
      readonly stop: StopSignal;
    }
  | { readonly kind: 'unload'; readonly modelId: number }
  /** Reads a file past the page cache as fast as it can, without computing. */
  | {
      readonly kind: 'measure-reads';
      readonly path: string;
      readonly fileBytes: number;
      readonly chunkBytes: number;
      /** Readers at work. */
      readonly parallel: number;
      /** How much to read; the file is read several times if it is smaller. */
      readonly totalBytes: number;
      /** Memory the reads land in, over and over: small memory has small pages, which cost more per read. */
      readonly memoryBytes: number;
    }
  | { readonly kind: 'end' };

export interface ExecutorLoaded {
  readonly memory: MemoryUse;
  readonly readsDirectly: boolean;
  /** `RunOptions.pointer`, valid until the model is unloaded. */
  readonly terminator: bigint;
}

export interface ExecutorRan {
  readonly outputs: ReadonlyMap<string, HostTensor>;
  readonly times: InferenceTimes;
  readonly memory: MemoryUse;
}

export interface ExecutorMeasured {
  readonly bytesPerSec: number;
}

export interface ExecutorReady {
  readonly runtimeVersion: string;
  readonly providers: readonly string[];
}

export interface ExecutorMessage {
  readonly id: number;
  readonly request: ExecutorRequest;
}

export type ExecutorReply =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly error: WireError };

export interface ExecutorOptions {
  readonly threads: number;
  readonly readers: number;
  readonly spin: boolean;
}
