import type { OrtSession } from '../../ort';
import type { RowRange } from '../source/tensor-reader';

/** What a decoder's weights take, bytes. Rows of the embedding are read from the model's file one by one. */
export interface WeightMemory {
  /** Absent: none was set. */
  readonly budgetBytes?: number;
  /** In sessions that stay. */
  readonly residentBytes: number;
  /** The ring through which the other steps are read. */
  readonly ringBytes: number;
  /** In sessions that come and go, at most at a time. */
  readonly sessionBytes: number;
  /** Read in every pass. */
  readonly streamedBytesPerPass: number;
  /** Sessions were measured where they were made; false: reckoned from the bytes of their weights. */
  readonly isMeasured: boolean;
}

/** What the stream of weights has done since the decoder was opened. */
export interface WeightTraffic {
  readonly readBytes: number;
  /** Time that passes waited for a session. */
  readonly stallMs: number;
  /** Time the stream's thread waited for reads, checked what came, and made sessions of it. */
  readonly readWaitMs: number;
  readonly checkMs: number;
  readonly createMs: number;
}

export const NO_TRAFFIC: WeightTraffic = {
  readBytes: 0,
  stallMs: 0,
  readWaitMs: 0,
  checkMs: 0,
  createMs: 0,
};

/**
 * The sessions of a decoder's steps, in the order first, between..., last, parts of the head. A pass takes them in this
 * order and gives each back before it takes the next; it may end anywhere.
 */
export interface WeightSteps {
  readonly headParts: readonly RowRange[];
  /** At once where it is there, so that no pass over resident weights waits. @throws SluiceError `io`, `corrupt-store`. */
  acquire(step: number): OrtSession | Promise<OrtSession>;
  release(step: number): void;
  /** The pass is over, finished or not. */
  endPass(): void;
  memory(): WeightMemory;
  traffic(): WeightTraffic;
  /** No pass may be under way. */
  close(): void;
}
