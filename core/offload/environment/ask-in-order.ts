import type { Clock } from '../../base';
import type { Answer, FailedAttempt, LiveEndpoint, LiveInference } from './live-endpoint';

export interface Ask {
  readonly user: number;
  readonly variantId: string;
  /** For all attempts together. */
  readonly deadlineMs: number;
  /** How long an endpoint may take before the next one is asked beside it. */
  readonly patienceMs: (endpoint: LiveEndpoint) => number;
  readonly clock: Clock;
  /** Told as soon as it is known, while the request still goes on. */
  readonly onFailure: (endpoint: LiveEndpoint, failure: FailedAttempt) => void;
}

interface Attempt {
  readonly endpoint: LiveEndpoint;
  readonly startMs: number;
  readonly abort: AbortController;
  readonly endPatience: () => void;
  isOver: boolean;
  isSlow: boolean;
}

/**
 * Asks endpoints in order until one answers: the next is asked when one fails, and beside one that is slow. The first
 * answer counts, the others' work is aborted. Never rejects.
 */
export function askInOrder(endpoints: readonly LiveEndpoint[], ask: Ask): Promise<Answer> {
  return new Promise((resolve) => {
    new RequestUnderWay(endpoints, ask, resolve).askNext();
  });
}

class RequestUnderWay {
  private readonly attempts: Attempt[] = [];
  private readonly failures: FailedAttempt[] = [];
  private readonly startedMs: number;
  private readonly endDeadline: () => void;
  private isDone = false;

  constructor(
    private readonly endpoints: readonly LiveEndpoint[],
    private readonly ask: Ask,
    private readonly resolve: (answer: Answer) => void,
  ) {
    this.startedMs = ask.clock.nowMs();
    this.endDeadline = ask.clock.after(ask.deadlineMs, () => this.giveUp());
  }

  askNext(): void {
    const endpoint = this.endpoints[this.attempts.length];
    if (!endpoint) {
      if (this.attempts.every(({ isOver }) => isOver)) this.end({ responseMs: this.ask.deadlineMs });
      return;
    }
    const { user, variantId, clock, patienceMs } = this.ask;
    const attempt: Attempt = {
      endpoint,
      startMs: this.sinceStartMs(),
      abort: new AbortController(),
      endPatience: clock.after(patienceMs(endpoint), () => this.beOvertaken(attempt)),
      isOver: false,
      isSlow: false,
    };
    this.attempts.push(attempt);
    endpoint.infer(user, variantId, attempt.abort.signal).then(
      (inference) => this.win(attempt, inference),
      (thrown: unknown) => this.fail(attempt, thrown),
    );
  }

  private win({ endpoint, startMs }: Attempt, { responseMs, stages }: LiveInference): void {
    if (this.isDone) return;
    const { tier, id: endpointId } = endpoint;
    this.end({ by: { tier, endpointId, startMs, stages }, responseMs: startMs + responseMs });
  }

  private fail(attempt: Attempt, thrown: unknown): void {
    if (this.isDone || attempt.isOver) return;
    attempt.isOver = true;
    attempt.endPatience();
    // A slow one has been told, and the next been asked, already.
    if (!attempt.isSlow)
      this.tell(attempt, 'failed', thrown instanceof Error ? thrown.message : String(thrown));
    if (!attempt.isSlow || this.attempts.every(({ isOver }) => isOver)) this.askNext();
  }

  private beOvertaken(attempt: Attempt): void {
    if (this.isDone || attempt.isOver) return;
    attempt.isSlow = true;
    const waitedMs = this.sinceStartMs() - attempt.startMs;
    this.tell(attempt, 'slow', `no answer after ${Math.round(waitedMs)} ms, far more than it used to take`);
    this.askNext();
  }

  private giveUp(): void {
    for (const attempt of this.attempts) {
      if (attempt.isOver || attempt.isSlow) continue;
      this.tell(attempt, 'failed', `no answer within ${this.ask.deadlineMs} ms`);
    }
    this.end({ responseMs: this.ask.deadlineMs });
  }

  private tell(attempt: Attempt, reason: FailedAttempt['reason'], error: string): void {
    const { endpoint, startMs } = attempt;
    const lostMs = this.sinceStartMs() - startMs;
    const failure = { tier: endpoint.tier, endpointId: endpoint.id, reason, error, startMs, lostMs };
    this.failures.push(failure);
    this.ask.onFailure(endpoint, failure);
  }

  private end(answer: Omit<Answer, 'failures'>): void {
    if (this.isDone) return;
    this.isDone = true;
    this.endDeadline();
    for (const { abort, endPatience } of this.attempts) {
      endPatience();
      abort.abort();
    }
    this.resolve({ ...answer, failures: this.failures });
  }

  private sinceStartMs(): number {
    return this.ask.clock.nowMs() - this.startedMs;
  }
}
