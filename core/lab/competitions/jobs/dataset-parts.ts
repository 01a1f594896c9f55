import { SluiceError } from '../../../contract';
import { isHidden, type FileEntry, type Manifest } from '../../datasets/tree/manifest';
import type { TreeStore } from '../../datasets/tree/tree-store';

/** A table of answers is read into memory at once. */
const MOST_ANSWER_BYTES = 256 * 2 ** 20;

/** What is below a folder, and the folders on the way. @param prefix with `/` at its end. */
export function partBelow({ entries }: Manifest, prefix: string): Manifest {
  return partOf(entries, (path) => path.startsWith(prefix));
}

/** The hidden parts alone. */
export function hiddenPart({ entries, hidden }: Manifest): Manifest {
  return partOf(entries, (path) => isHidden(path, hidden));
}

function partOf(entries: Manifest['entries'], isWanted: (path: string) => boolean): Manifest {
  const parents = new Set(
    entries.filter(({ path }) => isWanted(path)).flatMap(({ path }) => foldersAbove(path)),
  );
  return {
    entries: entries.filter(({ path, type }) => isWanted(path) || (type === 'folder' && parents.has(path))),
    hidden: [],
  };
}

function foldersAbove(path: string): readonly string[] {
  const names = path.split('/').slice(0, -1);
  return names.map((_, depth) => names.slice(0, depth + 1).join('/'));
}

export function fileAt({ entries }: Manifest, path: string): FileEntry | undefined {
  return entries.find((entry): entry is FileEntry => entry.path === path && entry.type === 'file');
}

/** A file of text, never laid out. @throws SluiceError `not-found`, `bad-input` (too large), `corrupt-store`, `io`. */
export async function readText(trees: TreeStore, manifest: Manifest, path: string): Promise<string> {
  const file = fileAt(manifest, path);
  if (!file) throw new SluiceError('not-found', `The dataset has no file ${path}.`, { path });
  if (file.bytes > MOST_ANSWER_BYTES) {
    throw new SluiceError(
      'bad-input',
      `${path}: expected at most ${MOST_ANSWER_BYTES} bytes of answers, found ${file.bytes}.`,
      { path },
    );
  }
  const chunks: Buffer[] = [];
  for (const [hash] of file.chunks) chunks.push(await trees.readChunk(hash));
  return Buffer.concat(chunks).toString('utf8');
}
