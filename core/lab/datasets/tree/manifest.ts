import { z } from 'zod';

import { faultTexts, SluiceError } from '../../../contract';
import { sha256Hex } from '../../../storage';
import { CHUNK_HASH } from '../chunks/chunk-store';
import { foldedPath, linkFault, pathFault, shownPath } from './safe-path';

/** The hash and the length in bytes of a chunk. */
export type ChunkRef = readonly [hash: string, byteLength: number];

export interface FileEntry {
  readonly path: string;
  readonly type: 'file';
  /** Permission bits. */
  readonly mode: number;
  readonly bytes: number;
  readonly chunks: readonly ChunkRef[];
}

export interface FolderEntry {
  readonly path: string;
  readonly type: 'folder';
  readonly mode: number;
}

export interface LinkEntry {
  readonly path: string;
  readonly type: 'link';
  readonly target: string;
}

export type TreeEntry = FileEntry | FolderEntry | LinkEntry;

/** A folder at one moment: each file by its chunks, all folders, links within it. */
export interface Manifest {
  /** By path, sorted by UTF-16 code units; a folder stands before what is in it. */
  readonly entries: readonly TreeEntry[];
  /** Path prefixes of the parts that only an evaluator gets. */
  readonly hidden: readonly string[];
}

/** A manifest as it is stored and sent: one text for one content, named by its SHA-256. */
export interface SealedManifest {
  readonly hash: string;
  readonly text: Buffer;
}

export const MAX_ENTRIES = 250_000;
export const MAX_MANIFEST_BYTES = 64 * 2 ** 20;
/** Chunks of a foreign cutter may be longer than ours. */
export const MAX_CHUNK_BYTES = 16 * 2 ** 20;
const MAX_FAULTS_SHOWN = 5;
const FORMAT = 'sluice-tree-1';

const mode = z.int().min(0).max(0o777);
const entrySchema = z.discriminatedUnion('type', [
  z.strictObject({
    path: z.string(),
    type: z.literal('file'),
    mode,
    bytes: z.int().min(0),
    chunks: z.array(z.tuple([z.string().regex(CHUNK_HASH), z.int().min(1).max(MAX_CHUNK_BYTES)])),
  }),
  z.strictObject({ path: z.string(), type: z.literal('folder'), mode }),
  z.strictObject({ path: z.string(), type: z.literal('link'), target: z.string() }),
]);
const manifestSchema = z.strictObject({
  format: z.literal(FORMAT),
  hidden: z.array(z.string()).max(100),
  entries: z.array(entrySchema),
});

/** @throws SluiceError `bad-input` when it is too large. */
export function sealManifest({ entries, hidden }: Manifest): SealedManifest {
  refuseTooMany(entries.length);
  const text = Buffer.from(JSON.stringify({ format: FORMAT, hidden, entries: entries.map(inOrder) }));
  if (text.length > MAX_MANIFEST_BYTES) {
    throw new SluiceError(
      'bad-input',
      `The list of files and chunks takes ${text.length} bytes; a version takes up to ${MAX_MANIFEST_BYTES}. ` +
        'Push it as several datasets, or pack its small files together.',
      { found: text.length, limit: MAX_MANIFEST_BYTES },
    );
  }
  return { hash: sha256Hex(text), text };
}

/**
 * Reads a manifest from the store or from the network, and refuses any that could write outside its folder, or that is
 * not the one text of its content.
 * @param where as the error names it. @throws SluiceError `bad-input` with all that is wrong.
 */
export function parseManifest(text: Uint8Array, where: string): Manifest {
  let found: unknown;
  try {
    found = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(text));
  } catch (cause) {
    throw new SluiceError(
      'bad-input',
      `${where}: expected a manifest in JSON, found other text.`,
      {},
      { cause },
    );
  }
  const parsed = manifestSchema.safeParse(found);
  if (!parsed.success) {
    throw refused(where, faultTexts(parsed.error.issues, 'the whole'));
  }
  const { entries, hidden } = parsed.data;
  const manifest: Manifest = { entries, hidden };
  refuseTooMany(manifest.entries.length);
  const faults = manifestFaults(manifest);
  if (faults.length > 0) throw refused(where, faults);
  if (!sealManifest(manifest).text.equals(text)) {
    throw new SluiceError(
      'bad-input',
      `${where}: expected the manifest as Sluice writes it, without spaces.`,
    );
  }
  return manifest;
}

/** Everything that is wrong with the paths, links and sizes. */
export function manifestFaults({ entries, hidden }: Manifest): string[] {
  const types = new Map<string, TreeEntry['type']>();
  const folded = new Map<string, string>();
  const faults = hidden.flatMap((prefix) => hiddenFault(prefix) ?? []);
  let before = '';
  for (const entry of entries) {
    const { path } = entry;
    const fault = pathFault(path) ?? entryFault(entry) ?? parentFault(path, types);
    if (fault !== undefined) faults.push(`${shownPath(path)}: ${fault}`);
    else if (path <= before) faults.push(`${shownPath(path)}: it does not come after ${shownPath(before)}`);
    const same = folded.get(foldedPath(path));
    if (same !== undefined) faults.push(`${shownPath(path)}: it is ${shownPath(same)} where case is ignored`);
    folded.set(foldedPath(path), path);
    types.set(path, entry.type);
    before = path;
  }
  return faults;
}

/** Whether a path is in one of the hidden parts. */
export function isHidden(path: string, hidden: readonly string[]): boolean {
  return hidden.some((prefix) => path.startsWith(prefix) || `${path}/` === prefix);
}

/** What everybody may see of it. Equal to it when nothing is hidden. */
export function withoutHidden({ entries, hidden }: Manifest): Manifest {
  return { entries: entries.filter(({ path }) => !isHidden(path, hidden)), hidden };
}

/** Each chunk once. */
export function chunksIn({ entries }: Manifest): Map<string, number> {
  const chunks = new Map<string, number>();
  for (const entry of entries) {
    if (entry.type !== 'file') continue;
    for (const [hash, byteLength] of entry.chunks) chunks.set(hash, byteLength);
  }
  return chunks;
}

export function totalsOf({ entries }: Manifest): { files: number; bytes: number } {
  const files = entries.filter((entry) => entry.type === 'file');
  return { files: files.length, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) };
}

/** @throws SluiceError `bad-input`. */
export function refuseTooMany(count: number): void {
  if (count <= MAX_ENTRIES) return;
  throw new SluiceError(
    'bad-input',
    `Found ${count} files and folders; a version takes up to ${MAX_ENTRIES}. ` +
      'Pack small files together (tar, zip, parquet), or push parts as datasets of their own.',
    { found: count, limit: MAX_ENTRIES },
  );
}

/** @throws SluiceError `bad-input` that names the first few. */
export function refused(where: string, faults: readonly string[]): SluiceError {
  const shown = faults.slice(0, MAX_FAULTS_SHOWN).join('; ');
  const more = faults.length > MAX_FAULTS_SHOWN ? `; and ${faults.length - MAX_FAULTS_SHOWN} more` : '';
  return new SluiceError('bad-input', `${where} is refused: ${shown}${more}.`, { faults: faults.length });
}

function hiddenFault(prefix: string): string | undefined {
  const fault = prefix.endsWith('/')
    ? pathFault(prefix.slice(0, -1))
    : 'expected a folder with "/" at its end';
  return fault === undefined ? undefined : `the hidden part ${shownPath(prefix)}: ${fault}`;
}

function entryFault(entry: TreeEntry): string | undefined {
  if (entry.type === 'link') return linkFault(entry.path, entry.target);
  if (entry.type === 'folder') return undefined;
  const sum = entry.chunks.reduce((bytes, [, byteLength]) => bytes + byteLength, 0);
  return sum === entry.bytes ? undefined : `its chunks make ${sum} bytes, and it says ${entry.bytes}`;
}

function parentFault(path: string, types: ReadonlyMap<string, TreeEntry['type']>): string | undefined {
  const slash = path.lastIndexOf('/');
  if (slash === -1) return undefined;
  const parent = types.get(path.slice(0, slash));
  return parent === 'folder' ? undefined : `its folder is ${parent ? `a ${parent}` : 'not in the list'}`;
}

/** The keys of one entry, in the one order. */
function inOrder(entry: TreeEntry): TreeEntry {
  switch (entry.type) {
    case 'file':
      return {
        path: entry.path,
        type: entry.type,
        mode: entry.mode,
        bytes: entry.bytes,
        chunks: entry.chunks,
      };
    case 'folder':
      return { path: entry.path, type: entry.type, mode: entry.mode };
    case 'link':
      return { path: entry.path, type: entry.type, target: entry.target };
  }
}
