import { createStore } from 'zustand/vanilla';
import type { StoreApi } from 'zustand/vanilla';

import type { VerifyReport, WireError } from '../../core/contract';
import type { ChosenFile } from '../transport';

/** One import the user asked for, from the click on: before its job exists, and after it failed. */
export interface ImportAttempt {
  /** Also the id of its job. */
  readonly id: string;
  /** What is imported; absent for the example. */
  readonly source?: ChosenFile;
  readonly title: string;
  readonly phase: 'uploading' | 'importing' | 'failed';
  readonly sentBytes: number;
  /** 0 when nothing has to be sent. */
  readonly totalBytes: number;
  readonly error?: WireError;
}

/** The last check of a model's store. */
export type Verification =
  | { readonly state: 'running'; readonly jobId: string }
  | { readonly state: 'done'; readonly report: VerifyReport }
  | { readonly state: 'failed'; readonly error: WireError };

export interface LibraryState {
  /** Model shown in the inspector. */
  readonly selected?: string | undefined;
  /** Model that is being removed. */
  readonly removing?: string | undefined;
  /** A removal that failed. */
  readonly removeError?: { readonly name: string; readonly error: WireError } | undefined;
  /** A removal that could not be undone. */
  readonly restoreError?: { readonly name: string; readonly error: WireError } | undefined;
  readonly attempts: readonly ImportAttempt[];
  readonly verifications: Readonly<Record<string, Verification>>;
  readonly actions: {
    readonly select: (name: string | undefined) => void;
    readonly beginRemove: (name: string) => void;
    /** Without an error it worked. */
    readonly endRemove: (name: string, error?: WireError) => void;
    readonly endRestore: (name: string, error?: WireError) => void;
    readonly begin: (attempt: ImportAttempt) => void;
    readonly change: (id: string, part: Partial<ImportAttempt>) => void;
    readonly end: (id: string) => void;
    readonly setVerification: (name: string, verification: Verification | undefined) => void;
  };
}

export type LibraryStore = StoreApi<LibraryState>;

/** What the user is doing with the library: choices, imports under way, checks and removals. */
export function createLibraryStore(): LibraryStore {
  return createStore<LibraryState>((set) => ({
    attempts: [],
    verifications: {},
    actions: {
      select: (selected) => set({ selected }),
      beginRemove: (removing) => set({ removing, removeError: undefined, restoreError: undefined }),
      endRemove: (name, error) => set({ removing: undefined, removeError: error && { name, error } }),
      endRestore: (name, error) => set({ restoreError: error && { name, error } }),
      begin: (attempt) => set(({ attempts }) => ({ attempts: [attempt, ...attempts] })),
      change: (id, part) =>
        set(({ attempts }) => ({
          attempts: attempts.map((old) => (old.id === id ? { ...old, ...part } : old)),
        })),
      end: (id) => set(({ attempts }) => ({ attempts: attempts.filter((old) => old.id !== id) })),
      setVerification: (name, verification) =>
        set(({ verifications }) => {
          const { [name]: _previous, ...others } = verifications;
          return { verifications: verification === undefined ? others : { ...others, [name]: verification } };
        }),
    },
  }));
}
