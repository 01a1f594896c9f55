import { formatBytes } from '../../base';
import { SluiceError } from '../../contract';
import type { BudgetState, PipelineMode } from '../../contract';
import type { LoadedModel, ModelLoader } from './model-ports';
import { Mutex } from '../mutex';

export interface LoadDemand {
  /** Name in the library. */
  readonly model: string;
  readonly storePath: string;
  readonly mode: PipelineMode;
  /** Absent in resident mode. */
  readonly budgetBytes?: number;
  /** Parameter memory that loading will allocate, bytes, as planned. */
  readonly parameterBytes: number;
}

/** Right to use a loaded model until `release`. */
export interface Lease {
  readonly model: LoadedModel;
  /** Whether a run has used it before: its sessions are made and its ring is full. */
  readonly isWarm: boolean;
  release(): void;
}

/** Memory of something else under the same limit: a language model. */
export interface OtherHolder {
  readonly model: string;
  /** Of its weights, bytes. */
  readonly parameterBytes: number;
  /** Of its caches: shown, not limited. */
  readonly activationBytes: () => number;
  /** Nothing uses it: it may be unloaded to make room. */
  readonly isIdle: () => boolean;
  /** Called while it is idle. Must not wait for anything of the models loaded here. */
  readonly unload: () => Promise<void>;
}

interface Entry {
  readonly key: string;
  readonly demand: LoadDemand;
  readonly loading: Promise<LoadedModel>;
  loaded?: LoadedModel;
  users: number;
  /** Whether a user has given it back. */
  wasUsed: boolean;
}

/** Unused models kept loaded, so that the next run of the same setting starts warm. */
const MOST_IDLE = 4;

/**
 * Models in memory under one global budget. A model stays loaded after its last user, until its memory or its place
 * is needed. What the limit counts is parameter memory; activations are shown beside it.
 */
export class LoadedModels {
  /** Least recently used first. */
  private readonly entries = new Map<string, Entry>();
  private readonly others = new Set<OtherHolder>();
  private readonly changing = new Mutex();
  private limit = 0;
  private mostIdle = MOST_IDLE;

  constructor(
    private readonly loader: ModelLoader,
    private readonly onChange: (state: BudgetState) => void,
  ) {}

  state(): BudgetState {
    return {
      limitBytes: this.limit,
      holders: [...[...this.entries.values()].map(holderOf), ...[...this.others].map(otherHolderOf)],
    };
  }

  /**
   * Counts something else's memory, which its owner allocates after this and frees before the returned call.
   * @throws SluiceError `budget-too-small` when it can't be held beside the models in use.
   */
  hold(other: OtherHolder): Promise<() => void> {
    const { model, parameterBytes } = other;
    return this.changing.run(async () => {
      this.checkRoom([{ model, storePath: '', mode: 'resident', parameterBytes }]);
      await this.makeRoom(parameterBytes, []);
      this.others.add(other);
      this.onChange(this.state());
      return () => {
        if (this.others.delete(other)) this.onChange(this.state());
      };
    });
  }

  /** Parameter memory that a new holder can have beside the models in use, bytes; Infinity without a limit. */
  get roomBytes(): number {
    return this.limit === 0
      ? Infinity
      : Math.max(0, this.limit - sum(this.inUse(new Set()).map(({ parameterBytes }) => parameterBytes)));
  }

  /** Unloads idle models over the new limit. Models in use keep their share until their runs end. 0: no limit. */
  setLimit(limitBytes: number): Promise<void> {
    return this.changing.run(async () => {
      this.limit = limitBytes;
      await this.makeRoom(0, []);
      this.onChange(this.state());
    });
  }

  /**
   * For who is asked for so many models in turn, a server or a deployment: that many more stay loaded unused, as far as
   * the limit allows. 0: only the usual few.
   */
  keepIdle(models: number): Promise<void> {
    return this.changing.run(async () => {
      this.mostIdle = MOST_IDLE + models;
      await this.makeRoom(0, []);
      this.onChange(this.state());
    });
  }

  /** @throws SluiceError `budget-too-small` when the demands can't be held beside the models in use. */
  checkRoom(demands: readonly LoadDemand[]): void {
    const keys = new Set(demands.map(keyOf));
    const inUse = this.inUse(keys);
    const held = sum(inUse.map(({ parameterBytes }) => parameterBytes));
    const needed = sum(demands.map(({ parameterBytes }) => parameterBytes));
    if (this.limit === 0 || held + needed <= this.limit) return;
    const holders = inUse.map(({ model, parameterBytes }) => `${model}: ${formatBytes(parameterBytes)}`);
    throw new SluiceError(
      'budget-too-small',
      `This run needs ${formatBytes(needed)} of parameter memory; the global budget is ` +
        `${formatBytes(this.limit)}, of which ${holders.length > 0 ? `runs hold ${holders.join(', ')}` : 'nothing is held'}. ` +
        'Stop a run, lower its budget, or raise the global budget.',
      { minimumBytes: held + needed, budgetBytes: this.limit, neededBytes: needed, heldBytes: held, holders },
    );
  }

  /**
   * Loads a model, or joins its users when it is loaded with the same mode and budget.
   * @throws SluiceError `budget-too-small`, and what loading throws.
   */
  async acquire(demand: LoadDemand): Promise<Lease> {
    const entry = await this.changing.run(() => this.enter(demand));
    try {
      const model = await entry.loading;
      entry.loaded = model;
      this.onChange(this.state());
      let released = false;
      return {
        model,
        isWarm: entry.wasUsed,
        release: () => {
          if (!released) this.leave(entry);
          released = true;
        },
      };
    } catch (error) {
      entry.users -= 1;
      if (this.entries.get(entry.key) === entry) this.entries.delete(entry.key);
      this.onChange(this.state());
      throw error;
    }
  }

  /** Unloads a model that is to be replaced or removed. @throws SluiceError `conflict` while a run uses it. */
  evict(model: string): Promise<void> {
    return this.changing.run(async () => {
      const mine = [...this.entries.values()].filter(({ demand }) => demand.model === model);
      if (mine.some(({ users }) => users > 0)) {
        throw new SluiceError('conflict', `A run is using ${model}; stop it first.`, { model });
      }
      for (const entry of mine) await this.unload(entry);
      this.onChange(this.state());
    });
  }

  /** Unloads everything; runs must have ended. */
  closeAll(): Promise<void> {
    return this.changing.run(async () => {
      for (const entry of [...this.entries.values()]) await this.unload(entry);
    });
  }

  /** What can't be unloaded now, but for the models of those keys. */
  private inUse(keys: ReadonlySet<string>): readonly Pick<LoadDemand, 'model' | 'parameterBytes'>[] {
    return [
      ...[...this.entries.values()]
        .filter(({ users, key }) => users > 0 && !keys.has(key))
        .map(({ demand }) => demand),
      ...[...this.others].filter((other) => !other.isIdle()),
    ];
  }

  private async enter(demand: LoadDemand): Promise<Entry> {
    const key = keyOf(demand);
    const known = this.entries.get(key);
    if (known) {
      known.users += 1;
      this.entries.delete(key);
      this.entries.set(key, known);
      return known;
    }
    this.checkRoom([demand]);
    await this.makeRoom(demand.parameterBytes, [demand.model]);
    const { storePath, mode, budgetBytes } = demand;
    const loading = this.loader.load({ storePath, mode, ...(budgetBytes !== undefined && { budgetBytes }) });
    const entry: Entry = { key, demand, loading, users: 1, wasUsed: false };
    this.entries.set(key, entry);
    this.onChange(this.state());
    return entry;
  }

  private leave(entry: Entry): void {
    entry.users -= 1;
    entry.wasUsed = true;
    void this.changing.run(async () => {
      await this.makeRoom(0, []);
      this.onChange(this.state());
    });
  }

  /** Unloads idle models: those of the models named, and the oldest until `bytes` fit and few are left. */
  private async makeRoom(bytes: number, models: readonly string[]): Promise<void> {
    const idle = [...this.entries.values()].filter(({ users }) => users === 0);
    let held = sum([
      ...[...this.entries.values()].map(({ demand }) => demand.parameterBytes),
      ...[...this.others].map(({ parameterBytes }) => parameterBytes),
    ]);
    let left = idle.length;
    for (const entry of idle) {
      const isOver = this.limit > 0 && held + bytes > this.limit;
      if (!isOver && left <= this.mostIdle && !models.includes(entry.demand.model)) continue;
      held -= entry.demand.parameterBytes;
      left -= 1;
      await this.unload(entry);
    }
    for (const other of this.others) {
      if (this.limit === 0 || held + bytes <= this.limit || !other.isIdle()) continue;
      held -= other.parameterBytes;
      this.others.delete(other);
      await other.unload();
    }
  }

  private async unload(entry: Entry): Promise<void> {
    this.entries.delete(entry.key);
    await (await entry.loading).close();
  }
}

function holderOf({ demand, loaded }: Entry): BudgetState['holders'][number] {
  const memory = loaded?.memoryUse;
  return {
    model: demand.model,
    // While it loads, all of its share counts as ring.
    ringBytes: memory?.ringBytes ?? demand.parameterBytes,
    residentBytes: memory?.residentBytes ?? 0,
    constantBytes: memory?.constantBytes ?? 0,
    activationBytes: memory?.activationBytes ?? 0,
  };
}

function otherHolderOf(other: OtherHolder): BudgetState['holders'][number] {
  const { model, parameterBytes: residentBytes } = other;
  return { model, ringBytes: 0, residentBytes, constantBytes: 0, activationBytes: other.activationBytes() };
}

function keyOf({ model, mode, budgetBytes }: LoadDemand): string {
  return JSON.stringify([model, mode, budgetBytes ?? 0]);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
