import type { Advice, Assignment, Pools, TrialOutcome } from './algorithms/algorithm';
import type { Parameters } from './space/search-space';
import { parseSearch, type SearchPlan } from './search-settings';

export interface TrialRecord {
  readonly id: number;
  readonly parameters: Parameters;
  readonly from?: { readonly trial: number; readonly resource: number };
  /** How often it was started or taken up again. */
  readonly segments: number;
  /** Of the last report. */
  readonly resource: number;
  /** Of the last report; NaN when it diverged, undefined before the first. */
  readonly metric?: number;
  /** The best it reported. */
  readonly best?: { readonly resource: number; readonly metric: number };
  readonly outcome?: TrialOutcome;
}

interface Running {
  readonly untilResource: number;
}

/**
 * The decisions of one search and its account of resources; knows nothing of how trials are run or stored. The same
 * calls lead to the same state, so its history is all there is to keep.
 */
export class SearchSession {
  readonly plan: SearchPlan;
  private readonly records: TrialRecord[] = [];
  private readonly running = new Map<number, Running>();
  private spent = 0;
  private failuresInARow = 0;

  /** @throws SluiceError `bad-input`, see `parseSearch`. */
  constructor(settings: unknown) {
    this.plan = parseSearch(settings);
  }

  /** `gave-up`: too many trials failed one after another. */
  next(): Assignment | 'wait' | 'done' | 'gave-up' {
    if (this.failuresInARow >= this.plan.maxFailures) return this.running.size > 0 ? 'wait' : 'gave-up';
    const suggestion = this.plan.algorithm.suggest(this.affordable());
    if (typeof suggestion === 'string') return suggestion;
    const { trial, startResource, untilResource } = suggestion;
    const known = this.records[trial.id];
    this.records[trial.id] = {
      ...(known ?? { ...trial }),
      segments: (known?.segments ?? 0) + 1,
      resource: startResource,
    };
    this.running.set(trial.id, { untilResource });
    return suggestion;
  }

  /**
   * @param metric as the trial reports it; anything but a finite number means that it diverged.
   * @returns `stale` for what was reported before, or by a trial not in training; nothing changes then.
   */
  report(trial: number, resource: number, metric: number): Advice | 'stale' {
    const running = this.running.get(trial);
    const record = this.records[trial];
    if (!running || !record || !(resource > record.resource)) return 'stale';
    // Whoever trains beyond what was granted takes it from nobody else.
    this.spent += Math.max(0, Math.min(resource, running.untilResource) - record.resource);
    this.failuresInARow = 0;
    this.records[trial] = { ...record, resource, metric, ...this.bestOf(record, resource, metric) };
    const advice = this.plan.algorithm.report(trial, resource, this.scoreOf(metric));
    if (advice !== 'go-on') this.running.delete(trial);
    return advice;
  }

  private bestOf(record: TrialRecord, resource: number, metric: number): Pick<TrialRecord, 'best'> {
    const isBetter = !record.best || this.scoreOf(metric) > this.scoreOf(record.best.metric);
    return Number.isFinite(metric) && isBetter ? { best: { resource, metric } } : {};
  }

  /** Of a trial in training that ended by itself. @returns false when it is not in training. */
  ended(trial: number, outcome: TrialOutcome): boolean {
    const record = this.records[trial];
    if (!this.running.delete(trial) || !record) return false;
    this.records[trial] = { ...record, outcome };
    this.failuresInARow = outcome === 'failed' ? this.failuresInARow + 1 : 0;
    this.plan.algorithm.ended(trial, outcome);
    return true;
  }

  /** What no report and no grant has taken. Sums of fractions are off by their last bits. */
  private affordable(): number {
    let granted = 0;
    for (const [trial, { untilResource }] of this.running) {
      granted += Math.max(0, untilResource - (this.records[trial]?.resource ?? 0));
    }
    return this.plan.budget * (1 + 1e-9) - this.spent - granted;
  }

  get spentResource(): number {
    return this.spent;
  }

  get trials(): readonly TrialRecord[] {
    return this.records;
  }

  pools(): Pools {
    return this.plan.algorithm.pools();
  }

  isRunning(trial: number): boolean {
    return this.running.has(trial);
  }

  /** The trial with the best report; of equals the earlier one. */
  best(): TrialRecord | undefined {
    let best: TrialRecord | undefined;
    for (const record of this.records) {
      if (record.best && (!best?.best || this.scoreOf(record.best.metric) > this.scoreOf(best.best.metric))) {
        best = record;
      }
    }
    return best;
  }

  private scoreOf(metric: number): number {
    if (!Number.isFinite(metric)) return -Infinity;
    return this.plan.metric.direction === 'max' ? metric : -metric;
  }
}
