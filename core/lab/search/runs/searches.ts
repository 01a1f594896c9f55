import { z } from 'zod';

import type { Clock } from '../../../base';
import { SluiceError } from '../../../contract';
import type { RunService } from '../../runs/run-service';
import type { RunState } from '../../runs/run-types';
import type { LabDatabase } from '../../store/lab-database';
import type { TrackingStore } from '../../tracking/tracking-store';
import type { Pool } from '../algorithms/algorithm';
import { SearchDriver, type SearchDriverOptions, type SearchStatus } from '../driver/search-driver';
import { SearchStore, type SearchState, type StoredSearch } from '../driver/search-store';
import type { TrialRecord } from '../search-session';
import { parseSearch } from '../search-settings';
import { narrowSettings } from '../space/narrow-space';
import type { NarrowRequest, SearchRequest, TrialPlan } from './launch-plan';
import { codeHolder, RunTrials } from './run-trials';
import { TrialRunStore } from './trial-run-store';

export interface SearchesOptions {
  readonly database: LabDatabase;
  readonly runs: RunService;
  readonly tracking: TrackingStore;
  readonly clock: Clock;
  /** What went wrong where nobody waits for an answer. */
  readonly onFault: (message: string) => void;
}

export interface SearchSummary {
  readonly id: string;
  readonly state: SearchState;
  /** Why it failed, or was interrupted. */
  readonly reason?: string;
  readonly createdMs: number;
  /** As it was asked for. */
  readonly search: unknown;
  readonly plan: TrialPlan;
  readonly spentResource: number;
  readonly budget: number;
  readonly trialCount: number;
  readonly best?: TrialRecord;
}

export interface SearchTrial extends TrialRecord {
  readonly pool?: Pool;
  /** In the order in which they went on. */
  readonly runs: readonly { readonly runId: string; readonly name: string; readonly state: RunState }[];
}

export interface SearchView extends SearchSummary {
  readonly trials: readonly SearchTrial[];
  readonly pools: SearchStatus['pools'];
}

/** They were checked when the search began. */
const settingsSchema = z.record(z.string(), z.unknown());
const OVER: ReadonlySet<SearchState> = new Set(['done', 'stopped', 'failed']);

/** Hyper-parameter searches of a lab, their trials runs of it. A search belongs to the user who launched it; all see it. */
export class Searches {
  private readonly store: SearchStore;
  private readonly trialRuns: TrialRunStore;
  private readonly trials: RunTrials;
  private readonly drivers = new Map<string, SearchDriver>();
  private readonly creating = new Set<string>();
  private readonly driving: SearchDriverOptions;

  constructor(private readonly options: SearchesOptions) {
    const { database, runs, tracking, clock, onFault } = options;
    this.store = new SearchStore(database);
    this.trialRuns = new TrialRunStore(database);
    this.trials = new RunTrials({ runs, tracking, store: this.trialRuns, clock });
    this.driving = {
      store: this.store,
      runner: this.trials,
      clock,
      onFault: (error) => onFault(`A search: ${error.message}`),
    };
  }

  /** Goes on with all that were running, or could not go on. */
  goOn(): void {
    for (const { id, state } of this.store.list()) {
      // One that was being stopped may have trials left.
      if (state === 'done' || state === 'failed') continue;
      try {
        this.driverOf(id).start();
      } catch (thrown) {
        this.options.onFault(SluiceError.from(thrown).message);
      }
    }
  }

  /**
   * Keeps the folder and the settings, and begins.
   * @throws SluiceError `bad-input` naming every fault, `conflict` (the name is taken), as `RunService.launch`.
   */
  create({ name, search, trials }: SearchRequest, user: string): Promise<SearchView> {
    const { folder, ...asked } = trials;
    const { entry, dataset } = asked;
    return this.begin(name, search, async (id) => {
      const held = await this.options.runs.hold({ user, folder, entry, dataset }, codeHolder(id));
      return { ...asked, ...held, user };
    });
  }

  /**
   * Begins a search like another one, within a part of its space: the same code, data, algorithm and resources.
   * @throws SluiceError `not-found`, `bad-input` naming every fault, `conflict` (the name is taken).
   */
  narrow(id: string, { name, brushes }: NarrowRequest, user: string): Promise<SearchView> {
    const settings = settingsSchema.parse(this.store.get(id).settings);
    const search = narrowSettings(settings, parseSearch(settings).space, brushes);
    const plan = { ...this.trialRuns.planOf(id), user };
    return this.begin(name, search, (other) => {
      this.options.runs.holdToo(plan, codeHolder(id), codeHolder(other));
      return Promise.resolve(plan);
    });
  }

  /** The newest first. */
  list(): readonly SearchSummary[] {
    return this.store.list().map((stored) => this.summary(stored, this.statusOf(stored)));
  }

  /** @throws SluiceError `not-found`, `stale-store`. */
  get(id: string): SearchView {
    return this.view(this.driverOf(id));
  }

  /** For good; resolves when its trials have ended. @throws SluiceError `not-found`. */
  async stop(id: string): Promise<SearchView> {
    const { state } = this.driverOf(id).status();
    // Its trials may still run: a driver that was interrupted has let go of them.
    if (state === 'interrupted') this.drivers.delete(id);
    const driver = this.driverOf(id);
    if (!OVER.has(state)) await driver.stop();
    return this.view(driver);
  }

  /** One that was interrupted goes on. @throws SluiceError `not-found`, `conflict` for one that is over. */
  resume(id: string): SearchView {
    const { state } = this.driverOf(id).status();
    if (OVER.has(state)) {
      throw new SluiceError(
        'conflict',
        `The search "${id}" is ${state}, and does not go on. Begin another one; "first" gives it this one's best parameters.`,
        { id, state },
      );
    }
    if (state === 'interrupted') this.drivers.delete(id);
    const driver = this.driverOf(id);
    driver.start();
    return this.view(driver);
  }

  /** Forgets a search that is over; its runs stay. @throws SluiceError `not-found`, `conflict` while it goes on. */
  discard(id: string): void {
    const { state } = this.driverOf(id).status();
    if (!OVER.has(state)) {
      throw new SluiceError(
        'conflict',
        `The search "${id}" is ${state}. Stop it first: sluice lab automl stop ${id}.`,
        { id, state },
      );
    }
    this.drivers.get(id)?.close();
    this.drivers.delete(id);
    this.store.remove(id);
    this.trialRuns.remove(id);
    this.options.runs.letGo(codeHolder(id));
  }

  /** Trials go on, and whoever opens the lab takes them up. */
  async close(): Promise<void> {
    for (const driver of this.drivers.values()) driver.close();
    await this.trials.close();
  }

  /** @param hold keeps the code for it. */
  private async begin(
    name: string | undefined,
    search: Readonly<Record<string, unknown>>,
    hold: (id: string) => Promise<TrialPlan>,
  ): Promise<SearchView> {
    parseSearch(search);
    const id = name ?? this.freeName();
    this.refuseTaken(id);
    this.creating.add(id);
    try {
      this.trialRuns.setPlan(id, await hold(id));
      const driver = SearchDriver.create(id, search, this.driving);
      this.drivers.set(id, driver);
      driver.start();
      return this.view(driver);
    } finally {
      this.creating.delete(id);
    }
  }

  private driverOf(id: string): SearchDriver {
    const open = this.drivers.get(id);
    if (open) return open;
    const driver = SearchDriver.open(id, this.driving);
    this.drivers.set(id, driver);
    return driver;
  }

  /** Of one whose history this version can not read, what was stored. */
  private statusOf({ id, state }: StoredSearch): Omit<SearchStatus, 'pools'> {
    try {
      return this.driverOf(id).status();
    } catch (thrown) {
      const reason = SluiceError.from(thrown).message;
      return { id, state, reason, spentResource: 0, budget: 0, trials: [] };
    }
  }

  private summary(
    { id, settings, createdMs }: StoredSearch,
    status: Omit<SearchStatus, 'pools'>,
  ): SearchSummary {
    const { state, reason, spentResource, budget, trials, best } = status;
    return {
      id,
      state,
      ...(reason !== undefined && { reason }),
      createdMs,
      search: settings,
      plan: this.trialRuns.planOf(id),
      spentResource,
      budget,
      trialCount: trials.length,
      ...(best && { best }),
    };
  }

  private view(driver: SearchDriver): SearchView {
    const status = driver.status();
    const { id, trials, pools } = status;
    const poolOf = new Map<number, Pool>();
    for (const pool of ['live', 'stop', 'dead', 'finished'] as const) {
      for (const trial of pools[pool]) poolOf.set(trial, pool);
    }
    const runsOf = new Map<number, SearchTrial['runs']>();
    for (const { trial, runId } of this.trialRuns.runsOf(id)) {
      runsOf.set(trial, [...(runsOf.get(trial) ?? []), ...this.runNamed(runId)]);
    }
    return {
      ...this.summary(this.store.get(id), status),
      pools,
      trials: trials.map((trial) => {
        const pool = poolOf.get(trial.id);
        return { ...trial, ...(pool && { pool }), runs: runsOf.get(trial.id) ?? [] };
      }),
    };
  }

  /** Nothing for one that was removed. */
  private runNamed(runId: string): SearchTrial['runs'] {
    const run = this.options.runs.find(runId);
    return run ? [{ runId, name: run.name, state: run.state }] : [];
  }

  private freeName(): string {
    const taken = new Set([...this.store.list().map(({ id }) => id), ...this.creating]);
    for (let number = taken.size + 1; ; number += 1) {
      if (!taken.has(`search-${number}`)) return `search-${number}`;
    }
  }

  private refuseTaken(id: string): void {
    if (!this.creating.has(id) && !this.store.list().some((stored) => stored.id === id)) return;
    throw new SluiceError('conflict', `There is a search "${id}" already. Choose another name.`, { id });
  }
}
