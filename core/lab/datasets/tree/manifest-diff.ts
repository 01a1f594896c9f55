import type { Manifest, TreeEntry } from './manifest';

export interface ManifestDiff {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** Another content, type, target or mode. */
  readonly changed: readonly string[];
  /** Of chunks that the second has and the first has not. */
  readonly newBytes: number;
}

/** What is different in `after`, by path. */
export function diffManifests(before: Manifest, after: Manifest): ManifestDiff {
  const old = new Map(before.entries.map((entry) => [entry.path, JSON.stringify(entry)]));
  const paths = new Set(after.entries.map(({ path }) => path));
  const added = after.entries.filter(({ path }) => !old.has(path));
  const changed = after.entries.filter((entry) => {
    const was = old.get(entry.path);
    return was !== undefined && was !== JSON.stringify(entry);
  });
  return {
    added: added.map(({ path }) => path),
    removed: before.entries.filter(({ path }) => !paths.has(path)).map(({ path }) => path),
    changed: changed.map(({ path }) => path),
    newBytes: newBytes(before.entries, after.entries),
  };
}

function newBytes(before: readonly TreeEntry[], after: readonly TreeEntry[]): number {
  const known = new Set(
    before.flatMap((entry) => (entry.type === 'file' ? entry.chunks.map(([hash]) => hash) : [])),
  );
  let sum = 0;
  for (const entry of after) {
    if (entry.type !== 'file') continue;
    for (const [hash, byteLength] of entry.chunks) {
      if (!known.has(hash)) sum += byteLength;
      known.add(hash);
    }
  }
  return sum;
}
