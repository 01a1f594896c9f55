import { SluiceError } from './errors';

/** Of an engine that will not start however often it is tried: a newer Sluice wrote its data folder (EX_CONFIG of sysexits.h). */
export const ENGINE_REFUSAL_EXIT_CODE = 78;

/** A file that is newer than this Sluice: it was not changed, and must not be. */
export interface NewerStore {
  readonly path: string;
  /** As a person would call it. */
  readonly what: string;
  readonly found: number;
  /** The newest version that this Sluice knows. */
  readonly known: number;
}

/** @returns SluiceError `unsupported` that names the file and both versions. */
export function newerStore({ path, what, found, known }: NewerStore): SluiceError {
  return new SluiceError(
    'unsupported',
    `${path} (${what}) has version ${found}, and this Sluice knows versions up to ${known}. ` +
      'A newer Sluice wrote it: use that one, or another --data-dir. Nothing was changed.',
    { path, found, known },
  );
}

/** Whether an error says that a store is newer than this Sluice. */
export function isNewerStore(thrown: unknown): boolean {
  if (!(thrown instanceof SluiceError) || thrown.code !== 'unsupported') return false;
  const { found, known } = thrown.details;
  return typeof found === 'number' && typeof known === 'number' && found > known;
}

/**
 * Call before a parser gets to see what a newer Sluice may have written in its own way.
 * @param value parsed JSON. @param field that holds its version.
 * @throws SluiceError `unsupported` when the version is newer than `known`; nothing for what has none.
 */
export function refuseNewer(
  value: unknown,
  field: 'version' | 'format',
  file: Omit<NewerStore, 'found'>,
): void {
  const found = (value as Readonly<Record<string, unknown>> | null | undefined)?.[field];
  if (typeof found === 'number' && found > file.known) throw newerStore({ ...file, found });
}
