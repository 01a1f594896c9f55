import { createStore } from 'zustand/vanilla';
import type { StoreApi } from 'zustand/vanilla';

export type Theme = 'system' | 'light' | 'dark';
export const THEMES: readonly Theme[] = ['system', 'light', 'dark'];

/** What is remembered between starts. */
export interface Layout {
  readonly theme: Theme;
  /** Id of the panel in view. */
  readonly panel: string;
  /** Model chosen in Run. */
  readonly model?: string;
  /** Widths of panels' inspectors and the like, CSS pixels, by a name of the panel's choice. */
  readonly sizes: Readonly<Record<string, number>>;
  /** Where the first-run tour stands; absent until it was begun or declined. */
  readonly tour?: TourPlace;
  /** Ids of commands run from the palette, the newest first. */
  readonly recentCommands?: readonly string[];
}

/** `on`: at a step; `left`: to be taken up there again; `done`: seen or declined. */
export interface TourPlace {
  readonly state: 'on' | 'left' | 'done';
  readonly step: number;
}

export interface LayoutState extends Layout {
  readonly actions: {
    readonly setTheme: (theme: Theme) => void;
    readonly setPanel: (panel: string) => void;
    readonly setModel: (model: string) => void;
    readonly setSize: (name: string, px: number) => void;
    readonly setTour: (tour: TourPlace) => void;
    readonly ranCommand: (id: string) => void;
  };
}

export type LayoutStore = StoreApi<LayoutState>;

/** The part of localStorage that is used. */
export interface KeyValueStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

const KEY = 'sluice.layout.v1';
const MOST_RECENT = 8;
const TOUR_STATES = ['on', 'left', 'done'] as const;

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseTour(raw: unknown): TourPlace | undefined {
  if (!isRecord(raw)) return undefined;
  const state = TOUR_STATES.find((known) => known === raw['state']);
  const step = raw['step'];
  return state === undefined || typeof step !== 'number' || !Number.isInteger(step) || step < 0
    ? undefined
    : { state, step };
}

/** Reads what was remembered, field by field: an unusable one takes its default. */
export function parseLayout(text: string | null, defaultPanel: string): Layout {
  let raw: unknown;
  try {
    raw = JSON.parse(text ?? '{}');
  } catch {
    raw = {}; // written by hand or cut short: defaults
  }
  const fields = isRecord(raw) ? raw : {};
  const sizes = isRecord(fields['sizes'])
    ? Object.entries(fields['sizes']).filter((entry): entry is [string, number] => Number.isFinite(entry[1]))
    : [];
  const tour = parseTour(fields['tour']);
  const recent = Array.isArray(fields['recentCommands'])
    ? fields['recentCommands'].filter((id): id is string => typeof id === 'string').slice(0, MOST_RECENT)
    : [];
  return {
    theme: THEMES.find((theme) => theme === fields['theme']) ?? 'system',
    panel: typeof fields['panel'] === 'string' ? fields['panel'] : defaultPanel,
    ...(typeof fields['model'] === 'string' ? { model: fields['model'] } : {}),
    sizes: Object.fromEntries(sizes),
    ...(tour === undefined ? {} : { tour }),
    ...(recent.length === 0 ? {} : { recentCommands: recent }),
  };
}

/** Layout, theme, panel and model in view; every change is written to `storage`. */
export function createLayoutStore(storage: KeyValueStorage, defaultPanel: string): LayoutStore {
  const store = createStore<LayoutState>((set) => ({
    ...parseLayout(storage.getItem(KEY), defaultPanel),
    actions: {
      setTheme: (theme) => set({ theme }),
      setPanel: (panel) => set({ panel }),
      setModel: (model) => set({ model }),
      setSize: (name, px) => set(({ sizes }) => ({ sizes: { ...sizes, [name]: px } })),
      setTour: (tour) => set({ tour }),
      ranCommand: (id) =>
        set(({ recentCommands = [] }) => ({
          recentCommands: [id, ...recentCommands.filter((other) => other !== id)].slice(0, MOST_RECENT),
        })),
    },
  }));
  store.subscribe(({ actions: _actions, ...layout }) => {
    storage.setItem(KEY, JSON.stringify(layout));
  });
  return store;
}
