import { createStore } from 'zustand/vanilla';
import type { StoreApi } from 'zustand/vanilla';

import type { DecisionRecord, OffloadState, WireError } from '../../core/contract';

/** Something asked of the deployment that the engine refused. */
export interface OffloadFault {
  /** What was not done, as a user would say it. */
  readonly title: string;
  readonly error: WireError;
}

export interface OffloadStoreState {
  /** Undefined until the engine first answered. */
  readonly deployment?: OffloadState;
  readonly loadError?: WireError | undefined;
  /** Newest first, at most `MAX_DECISIONS`. */
  readonly decisions: readonly DecisionRecord[];
  /** Decision shown in the inspector. */
  readonly selected?: number | undefined;
  /** Job that builds the example networks. */
  readonly installJobId?: string | undefined;
  readonly fault?: OffloadFault | undefined;
  /** What was saved last, and where. */
  readonly saved?: string | undefined;
  readonly actions: {
    readonly setDeployment: (deployment: OffloadState) => void;
    readonly failLoading: (error: WireError) => void;
    /** Adds rounds, in any order; a round's later record replaces its earlier one. */
    readonly addDecisions: (records: readonly DecisionRecord[]) => void;
    readonly select: (id: number | undefined) => void;
    readonly setInstallJob: (jobId: string | undefined) => void;
    readonly setFault: (fault: OffloadFault | undefined) => void;
    readonly setSaved: (where: string | undefined) => void;
  };
}

export type OffloadStore = StoreApi<OffloadStoreState>;

/** Some minutes of rounds; the engine's log keeps all of them. */
export const MAX_DECISIONS = 500;

function isOver(record: DecisionRecord): boolean {
  return record.meanResponseMs !== undefined || record.rewardMs !== undefined;
}

/** Union of both by id, newest first. A record of a round that is over is never replaced by one of its start. */
export function mergeDecisions(
  known: readonly DecisionRecord[],
  incoming: readonly DecisionRecord[],
): readonly DecisionRecord[] {
  const fresh = new Map<number, DecisionRecord>();
  for (const record of incoming) {
    const earlier = fresh.get(record.id);
    if (earlier === undefined || !isOver(earlier) || isOver(record)) fresh.set(record.id, record);
  }
  const kept = known.filter((record) => {
    const later = fresh.get(record.id);
    if (later === undefined) return true;
    if (!isOver(record) || isOver(later)) return false;
    fresh.delete(record.id);
    return true;
  });
  return [...fresh.values(), ...kept].sort((a, b) => b.id - a.id).slice(0, MAX_DECISIONS);
}

/** The deployment and its last decisions, as the engine tells them. */
export function createOffloadStore(): OffloadStore {
  return createStore<OffloadStoreState>((set) => ({
    decisions: [],
    actions: {
      setDeployment: (deployment) => set({ deployment, loadError: undefined }),
      failLoading: (loadError) => set({ loadError }),
      addDecisions: (records) =>
        set(({ decisions }) =>
          records.length === 0 ? {} : { decisions: mergeDecisions(decisions, records) },
        ),
      select: (selected) => set({ selected }),
      setInstallJob: (installJobId) => set({ installJobId }),
      setFault: (fault) => set({ fault }),
      setSaved: (saved) => set({ saved }),
    },
  }));
}
