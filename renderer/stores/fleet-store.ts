import { createStore } from 'zustand/vanilla';
import type { StoreApi } from 'zustand/vanilla';

import type { BoxState, FleetBox, FleetPush, WireError } from '../../core/contract';
import { createFleetHistory } from './fleet-history';
import type { FleetHistory } from './fleet-history';
import { measureRate } from './progress-rate';
import type { ProgressRate } from './progress-rate';

/** Something that was asked of the fleet and not done. */
export interface FleetFault {
  /** Box it is about; absent when it is about none (yet). */
  readonly box?: string;
  readonly title: string;
  readonly error: WireError;
}

export interface TrackedPush {
  readonly push: FleetPush;
  /** How fast it goes, by box. */
  readonly rates: ReadonlyMap<string, ProgressRate>;
}

export interface BoxOrder {
  readonly key: string;
  readonly descending: boolean;
}

export type BoxFilter = BoxState | 'all';

export interface FleetState {
  /** By id; undefined until the engine first answered. Boxes that did not change stay the same objects. */
  readonly boxes?: ReadonlyMap<string, FleetBox>;
  readonly loadError?: WireError | undefined;
  /** Newest first; those that were dismissed are left out. */
  readonly pushes: readonly TrackedPush[];
  readonly dismissed: ReadonlySet<string>;
  /** Box whose panels are in view; undefined: this machine. */
  readonly shown?: string | undefined;
  /** Box in the inspector. */
  readonly selected?: string | undefined;
  /** Boxes that a push would go to. */
  readonly chosen: ReadonlySet<string>;
  readonly words: string;
  readonly filter: BoxFilter;
  readonly order: BoxOrder;
  readonly isAdding: boolean;
  /** Taken off the list; the engine is told when that can't be undone any more. */
  readonly removing?: FleetBox | undefined;
  readonly fault?: FleetFault | undefined;
  /** Never another object. */
  readonly history: FleetHistory;
  readonly actions: FleetActions;
}

export interface FleetActions {
  readonly setBoxes: (boxes: readonly FleetBox[]) => void;
  readonly change: (changed: readonly FleetBox[], removed: readonly string[]) => void;
  readonly failLoading: (error: WireError) => void;
  readonly setPushes: (pushes: readonly FleetPush[]) => void;
  readonly updatePush: (push: FleetPush) => void;
  readonly dismissPush: (id: string) => void;
  readonly show: (box: string | undefined) => void;
  readonly select: (box: string | undefined) => void;
  readonly choose: (chosen: ReadonlySet<string>) => void;
  readonly setWords: (words: string) => void;
  readonly setFilter: (filter: BoxFilter) => void;
  readonly setOrder: (order: BoxOrder) => void;
  readonly setAdding: (isAdding: boolean) => void;
  readonly setRemoving: (box: FleetBox | undefined) => void;
  readonly setFault: (fault: FleetFault | undefined) => void;
}

export type FleetStore = StoreApi<FleetState>;

/** Measures every box of a push against what was known of it. */
function trackPush(previous: TrackedPush | undefined, push: FleetPush, nowMs: number): TrackedPush {
  const rates = push.boxes.map(({ box, state, sentBytes, totalBytes }) => {
    const progress = { phase: state, doneBytes: sentBytes, totalBytes };
    return [box, measureRate(previous?.rates.get(box), progress, nowMs)] as const;
  });
  return { push, rates: new Map(rates) };
}

/** What only holds of boxes that are there. */
function withoutGone(state: FleetState, boxes: ReadonlyMap<string, FleetBox>): Partial<FleetState> {
  const isThere = (id: string | undefined): boolean => id === undefined || boxes.has(id);
  const chosen = [...state.chosen].filter((id) => boxes.has(id));
  return {
    ...(isThere(state.selected) ? {} : { selected: undefined }),
    ...(isThere(state.shown) ? {} : { shown: undefined }),
    ...(chosen.length === state.chosen.size ? {} : { chosen: new Set(chosen) }),
  };
}

type Set_ = FleetStore['setState'];

/** What the engine tells. */
function toldActions(set: Set_, history: FleetHistory, nowMs: () => number) {
  return {
    setBoxes: (list) =>
      set((state) => {
        const boxes = new Map(list.map((box) => [box.id, box]));
        for (const id of state.boxes?.keys() ?? []) if (!boxes.has(id)) history.forget(id);
        for (const box of list) history.push(box);
        return { boxes, loadError: undefined, ...withoutGone(state, boxes) };
      }),
    change: (changed, removed) =>
      set((state) => {
        const boxes = new Map(state.boxes);
        for (const box of changed) {
          boxes.set(box.id, box);
          history.push(box);
        }
        for (const id of removed) {
          boxes.delete(id);
          history.forget(id);
        }
        return { boxes, ...(removed.length === 0 ? {} : withoutGone(state, boxes)) };
      }),
    failLoading: (loadError) => set({ loadError }),
    setPushes: (pushes) =>
      set((state) => ({
        pushes: [...pushes]
          .filter(({ id }) => !state.dismissed.has(id))
          .sort((a, b) => b.startedMs - a.startedMs)
          .map((push) => trackPush(undefined, push, nowMs())),
      })),
    updatePush: (push) =>
      set((state) => {
        // Retried: it is of interest again.
        const isOver = push.boxes.every((box) => ['done', 'failed', 'cancelled'].includes(box.state));
        if (state.dismissed.has(push.id) && isOver) return state;
        const previous = state.pushes.find((tracked) => tracked.push.id === push.id);
        const tracked = trackPush(previous, push, nowMs());
        if (previous === undefined) return { pushes: [tracked, ...state.pushes] };
        return { pushes: state.pushes.map((one) => (one === previous ? tracked : one)) };
      }),
  } satisfies Partial<FleetActions>;
}

/** The boxes as the engine last told them, and what the user is doing with them. `nowMs`: monotonic milliseconds. */
export function createFleetStore(nowMs: () => number): FleetStore {
  const history = createFleetHistory(nowMs);
  return createStore<FleetState>((set) => ({
    pushes: [],
    dismissed: new Set(),
    chosen: new Set(),
    words: '',
    filter: 'all',
    order: { key: 'name', descending: false },
    isAdding: false,
    history,
    actions: {
      ...toldActions(set, history, nowMs),
      dismissPush: (id) =>
        set(({ pushes, dismissed }) => ({
          pushes: pushes.filter(({ push }) => push.id !== id),
          dismissed: new Set(dismissed).add(id),
        })),
      show: (shown) => set({ shown }),
      select: (selected) => set({ selected }),
      choose: (chosen) => set({ chosen }),
      setWords: (words) => set({ words }),
      setFilter: (filter) => set({ filter }),
      setOrder: (order) => set({ order }),
      setAdding: (isAdding) => set({ isAdding, fault: undefined }),
      setRemoving: (removing) => set({ removing }),
      setFault: (fault) => set({ fault }),
    },
  }));
}
