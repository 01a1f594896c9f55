import { createStore } from 'zustand/vanilla';
import type { StoreApi } from 'zustand/vanilla';

import type { RunRecord, RunResult, WireError } from '../../core/contract';
import { strings } from '../strings';

export interface RunsState {
  /** By start, newest first. */
  readonly runs: readonly RunRecord[];
  readonly actions: {
    readonly update: (run: RunRecord) => void;
    readonly replaceAll: (runs: readonly RunRecord[]) => void;
    readonly setResult: (runId: string, result: RunResult) => void;
    /** Runs that were going on are lost with their engine. */
    readonly failRunning: (error: WireError) => void;
  };
}

export type RunsStore = StoreApi<RunsState>;

/** The engine keeps the same number; older ones lose their traces anyway. */
const MAX_RUNS = 200;

function newestFirst(runs: readonly RunRecord[]): readonly RunRecord[] {
  return [...runs].sort((a, b) => b.startedAt.localeCompare(a.startedAt)).slice(0, MAX_RUNS);
}

/** Keeps the latest result while a continuous run's records come without one. */
function merge(previous: RunRecord | undefined, next: RunRecord): RunRecord {
  return previous?.result !== undefined && next.result === undefined
    ? { ...next, result: previous.result }
    : next;
}

const LOST: WireError = {
  code: 'engine-down',
  message: strings.connection.forgotten,
  details: {},
};

function endLost(run: RunRecord): RunRecord {
  return run.state === 'running' ? { ...run, state: 'failed', error: LOST } : run;
}

export function createRunsStore(): RunsStore {
  return createStore<RunsState>((set) => ({
    runs: [],
    actions: {
      update: (run) =>
        set(({ runs }) => {
          const previous = runs.find(({ id }) => id === run.id);
          if (previous === undefined) return { runs: newestFirst([run, ...runs]) };
          return { runs: runs.map((old) => (old === previous ? merge(previous, run) : old)) };
        }),
      // Runs only known here were lost with an earlier engine: they stay readable.
      replaceAll: (list) =>
        set(({ runs }) => {
          const listed = new Set(list.map(({ id }) => id));
          const lost = runs.filter(({ id }) => !listed.has(id)).map((run) => endLost(run));
          return { runs: newestFirst([...list, ...lost]) };
        }),
      setResult: (runId, result) =>
        set(({ runs }) => ({ runs: runs.map((run) => (run.id === runId ? { ...run, result } : run)) })),
      failRunning: (error) =>
        set(({ runs }) => ({
          runs: runs.map((run) => (run.state === 'running' ? { ...run, state: 'failed', error } : run)),
        })),
    },
  }));
}
