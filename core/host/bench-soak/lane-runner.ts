import { SluiceError } from '../../contract';
import type { Kept, Lane, SoakSystem } from './lanes/lane';

/** What became of one kind of work. */
export interface LaneRow {
  readonly system: SoakSystem;
  readonly work: string;
  readonly operations: number;
  readonly done: number;
  /** While a fault went on, and until the first piece of work that succeeded after it. */
  readonly expectedFailures: number;
  readonly unexpectedFailures: number;
  readonly wrongResults: number;
  readonly acknowledged: number;
  readonly lost: number;
  /** A few, with what they say. */
  readonly unexpected: readonly string[];
  /** By error code. */
  readonly expected: Readonly<Record<string, number>>;
  /** By error code: what the first of them said. */
  readonly expectedFirst: Readonly<Record<string, string>>;
  readonly lostThings: readonly string[];
}

const TOLD = 5;
const TOLD_CHARS = 400;
/** Where nothing works for the time being. */
const PAUSE_AFTER_FAILURE_MS = 200;

/** Does one lane's work again and again, and tells apart what a fault explains from what nothing does. */
export class LaneRunner {
  private operations = 0;
  private done = 0;
  private expectedFailures = 0;
  private unexpectedFailures = 0;
  private wrongResults = 0;
  private readonly unexpected: string[] = [];
  private readonly expected: Record<string, number> = {};
  private readonly expectedFirst: Record<string, string> = {};
  private isStopped = false;
  private isFaulty = false;
  /** Told when a piece of work that began after the last fault has succeeded. */
  private recovered: (() => void) | undefined;
  private wake: (() => void) | undefined;
  private working: Promise<void> | undefined;
  /** Since the last fault began. */
  lastFailure = '';

  constructor(private readonly lane: Lane) {}

  get name(): string {
    return this.lane.name;
  }

  start(): void {
    this.working = this.loop();
  }

  /** Resolves when what it does has ended. */
  async stop(): Promise<void> {
    this.isStopped = true;
    this.wake?.();
    await this.working;
  }

  faultBegins(): void {
    this.lastFailure = '';
    this.isFaulty = true;
  }

  /** @returns when work succeeds again. */
  faultEnds(): Promise<void> {
    return new Promise((resolve) => {
      this.recovered = () => {
        this.isFaulty = false;
        this.recovered = undefined;
        resolve();
      };
      this.wake?.();
    });
  }

  async row(): Promise<LaneRow> {
    const { system, name } = this.lane;
    const kept = await this.lane.check().catch((thrown: unknown): Kept => {
      return { acknowledged: 0, lost: [`nothing could be looked for: ${SluiceError.from(thrown).message}`] };
    });
    return {
      system,
      work: name,
      operations: this.operations,
      done: this.done,
      expectedFailures: this.expectedFailures,
      unexpectedFailures: this.unexpectedFailures,
      wrongResults: this.wrongResults,
      acknowledged: kept.acknowledged,
      lost: kept.lost.length,
      unexpected: this.unexpected,
      expected: this.expected,
      expectedFirst: this.expectedFirst,
      lostThings: kept.lost.slice(0, TOLD),
    };
  }

  private async loop(): Promise<void> {
    while (!this.isStopped) {
      const hasFailed = await this.piece();
      await this.pause(hasFailed ? PAUSE_AFTER_FAILURE_MS : this.lane.pauseMs);
    }
  }

  /** @returns whether it failed. */
  private async piece(): Promise<boolean> {
    const begunInFault = this.isFaulty;
    // Recovery is told to the fault that was over when this piece began, not to one that ends meanwhile.
    const { recovered } = this;
    this.operations += 1;
    try {
      const answer = await this.lane.work();
      this.done += 1;
      if (answer === 'wrong') this.wrongResults += 1;
      if (recovered !== undefined && recovered === this.recovered) recovered();
      return false;
    } catch (thrown) {
      this.failed(SluiceError.from(thrown), begunInFault || this.isFaulty);
      return true;
    }
  }

  private failed({ code, message }: SluiceError, isExpected: boolean): void {
    this.lastFailure = message.slice(0, TOLD_CHARS);
    if (isExpected) {
      this.expectedFailures += 1;
      this.expected[code] = (this.expected[code] ?? 0) + 1;
      this.expectedFirst[code] ??= this.lastFailure;
      return;
    }
    this.unexpectedFailures += 1;
    if (this.unexpected.length < TOLD) this.unexpected.push(`${code}: ${message.slice(0, TOLD_CHARS)}`);
  }

  /** Ends early when a fault has, so that recovery is not a matter of pauses. */
  /** Not at all once it was stopped. */
  private pause(ms: number): Promise<void> {
    if (this.isStopped) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.wake?.(), ms);
      this.wake = () => {
        clearTimeout(timer);
        this.wake = undefined;
        resolve();
      };
    });
  }
}
