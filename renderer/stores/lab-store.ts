import { createStore } from 'zustand/vanilla';
import type { StoreApi } from 'zustand/vanilla';

import type { LabPart, LabRunChanges, LabRunRow, LabStatus, WireError } from '../../core/contract';
import { parseTableLayout } from './lab-table-layout';
import type { LabTableLayout } from './lab-table-layout';
import type { KeyValueStorage } from './layout-store';

/** Something that was asked of the lab and not done. */
export interface LabFault {
  readonly title: string;
  readonly error: WireError;
}

/** What lies over the table of runs. */
export type LabOver =
  | { readonly kind: 'run'; readonly runId: string; readonly isForking?: boolean }
  | { readonly kind: 'compare' }
  /** A form that launches a run. */
  | { readonly kind: 'launch' };

export interface LabState {
  /** Undefined until the engine first answered. */
  readonly status?: LabStatus | undefined;
  /** Someone has looked: asking for rows starts the lab, so nothing is asked before. */
  readonly isWatched: boolean;
  /** The newest first; undefined until they first came. */
  readonly rows?: readonly LabRunRow[] | undefined;
  readonly revision?: string | undefined;
  readonly loadError?: WireError | undefined;
  /** How often each part may have changed: whoever shows it asks again when the figure is another. */
  readonly ticks: Readonly<Record<LabPart, number>>;
  /** Sub-view of the panel. */
  readonly view: string;
  readonly table: LabTableLayout;
  /** Ids of the runs that were chosen in the table. */
  readonly chosen: ReadonlySet<string>;
  readonly over?: LabOver | undefined;
  readonly fault?: LabFault | undefined;
  readonly actions: {
    readonly setStatus: (status: LabStatus) => void;
    readonly watch: () => void;
    readonly applyRuns: (changes: LabRunChanges) => void;
    /** One row, before the next changes tell all of them. */
    readonly updateRun: (row: LabRunRow) => void;
    readonly failLoading: (error: WireError) => void;
    /** Revisions mean nothing to another engine. */
    readonly forgetRevision: () => void;
    readonly tick: (parts: readonly LabPart[]) => void;
    readonly show: (view: string) => void;
    readonly setTable: (part: Partial<LabTableLayout>) => void;
    readonly choose: (chosen: ReadonlySet<string>) => void;
    readonly open: (over: LabOver | undefined) => void;
    readonly setFault: (fault: LabFault | undefined) => void;
  };
}

export type LabStore = StoreApi<LabState>;

const TABLE_KEY = 'sluice.lab.table.v1';

const NO_TICKS: Readonly<Record<LabPart, number>> = {
  runs: 0,
  queue: 0,
  datasets: 0,
  competitions: 0,
  models: 0,
  deployments: 0,
  searches: 0,
};

function newestFirst(rows: Iterable<LabRunRow>): readonly LabRunRow[] {
  return [...rows].sort((a, b) => b.createdMs - a.createdMs || (a.runId < b.runId ? -1 : 1));
}

/** Rows that did not change stay the same objects. */
export function withChanges(
  rows: readonly LabRunRow[],
  { isWhole, runs, removed }: LabRunChanges,
): readonly LabRunRow[] {
  if (isWhole) return newestFirst(runs);
  if (runs.length === 0 && removed.length === 0) return rows;
  const byId = new Map(rows.map((row) => [row.runId, row]));
  for (const row of runs) byId.set(row.runId, row);
  for (const id of removed) byId.delete(id);
  return newestFirst(byId.values());
}

/** Those of the chosen runs that are there still. */
function stillThere(chosen: ReadonlySet<string>, rows: readonly LabRunRow[]): ReadonlySet<string> {
  if (chosen.size === 0) return chosen;
  const ids = new Set(rows.map(({ runId }) => runId));
  const left = [...chosen].filter((id) => ids.has(id));
  return left.length === chosen.size ? chosen : new Set(left);
}

type Set_ = StoreApi<LabState>['setState'];

/** What the engine tells. */
function toldActions(set: Set_) {
  return {
    setStatus: (status) => set({ status }),
    applyRuns: (changes) =>
      set(({ rows = [], chosen, over }) => {
        const next = withChanges(rows, changes);
        const isGone = over?.kind === 'run' && !next.some(({ runId }) => runId === over.runId);
        return {
          rows: next,
          revision: changes.revision,
          loadError: undefined,
          chosen: stillThere(chosen, next),
          ...(isGone ? { over: undefined } : {}),
        };
      }),
    updateRun: (row) =>
      set(({ rows = [] }) => ({
        rows: newestFirst([...rows.filter((old) => old.runId !== row.runId), row]),
      })),
    failLoading: (loadError) => set({ loadError }),
    forgetRevision: () => set({ revision: undefined }),
    tick: (parts) =>
      set(({ ticks }) => ({
        ticks: { ...ticks, ...Object.fromEntries(parts.map((part) => [part, ticks[part] + 1])) },
      })),
  } satisfies Partial<LabState['actions']>;
}

/** The lab as the engine last told it, and what the user is doing with it; the table's layout is remembered. */
export function createLabStore(storage: KeyValueStorage): LabStore {
  return createStore<LabState>((set, get) => ({
    isWatched: false,
    ticks: NO_TICKS,
    view: 'runs',
    table: parseTableLayout(storage.getItem(TABLE_KEY)),
    chosen: new Set(),
    actions: {
      ...toldActions(set),
      watch: () => set({ isWatched: true }),
      show: (view) => set({ view, fault: undefined }),
      setTable: (part) => {
        set(({ table }) => ({ table: { ...table, ...part } }));
        storage.setItem(TABLE_KEY, JSON.stringify(get().table));
      },
      choose: (chosen) => set({ chosen }),
      open: (over) => set({ over, view: 'runs', fault: undefined }),
      setFault: (fault) => set({ fault }),
    },
  }));
}
