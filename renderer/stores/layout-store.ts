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
}

export interface LayoutState extends Layout {
  readonly actions: {
    readonly setTheme: (theme: Theme) => void;
    readonly setPanel: (panel: string) => void;
    readonly setModel: (model: string) => void;
    readonly setSize: (name: string, px: number) => void;
  };
}

export type LayoutStore = StoreApi<LayoutState>;

/** The part of localStorage that is used. */
export interface KeyValueStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

const KEY = 'sluice.layout.v1';

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
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
  return {
    theme: THEMES.find((theme) => theme === fields['theme']) ?? 'system',
    panel: typeof fields['panel'] === 'string' ? fields['panel'] : defaultPanel,
    ...(typeof fields['model'] === 'string' ? { model: fields['model'] } : {}),
    sizes: Object.fromEntries(sizes),
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
    },
  }));
  store.subscribe(({ theme, panel, model, sizes }) => {
    storage.setItem(KEY, JSON.stringify({ theme, panel, model, sizes }));
  });
  return store;
}
