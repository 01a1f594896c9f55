export const SOAK_SYSTEMS = ['layering', 'language', 'offload', 'lab'] as const;
export type SoakSystem = (typeof SOAK_SYSTEMS)[number];

/** Whether what came out is, bit by bit, what came out before anything went wrong. */
export type Answer = 'right' | 'wrong';

/** What a lane was told is kept. */
export interface Kept {
  readonly acknowledged: number;
  /** What of it is not there any more, or is something else. */
  readonly lost: readonly string[];
}

/** One kind of work, done again and again. */
export interface Lane {
  readonly system: SoakSystem;
  readonly name: string;
  /** Between one piece of work and the next. */
  readonly pauseMs: number;
  /** One piece. @throws what goes wrong. */
  work(): Promise<Answer>;
  /** Looks for everything that was acknowledged, once all faults are over. @throws what goes wrong. */
  check(): Promise<Kept>;
}
