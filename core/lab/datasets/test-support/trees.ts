import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

import { seededRandom } from '../../../base';
import { LabDatabase } from '../../store/lab-database';
import { ChunkStore } from '../chunks/chunk-store';
import { ContentCutter } from '../chunks/content-cutter';
import { datasetSchema } from '../dataset-schema';
import { Datasets } from '../datasets';
import { TreeStore } from '../tree/tree-store';

/** Short chunks, so that small files have many. */
export const SMALL_CHUNKS = { minBytes: 64, averageBytes: 256, maxBytes: 1024 };

/** A text or bytes: a file; `->TARGET`: a link; null: an empty folder. */
export type TreePlan = Readonly<Record<string, string | Uint8Array | null>>;

/** Writes files, links and folders below `root`. */
export function makeTree(root: string, plan: TreePlan): string {
  mkdirSync(root, { recursive: true });
  for (const [path, content] of Object.entries(plan)) {
    const full = join(root, path);
    mkdirSync(content === null ? full : dirname(full), { recursive: true });
    if (typeof content === 'string' && content.startsWith('->')) symlinkSync(content.slice(2), full);
    else if (content !== null) writeFileSync(full, content);
  }
  return root;
}

/** Everything below a folder: type, mode and content or target by path. */
export function treeOf(root: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const path of readdirSync(root, { recursive: true, encoding: 'utf8' }).sort()) {
    const full = join(root, path);
    const { mode } = lstatSync(full);
    const bits = (mode & 0o777).toString(8);
    if (lstatSync(full).isSymbolicLink()) found[path] = `link ${readlinkSync(full)}`;
    else if (lstatSync(full).isDirectory()) found[path] = `folder ${bits}`;
    else found[path] = `file ${bits} ${readFileSync(full).toString('base64')}`;
  }
  return found;
}

export function randomContent(byteLength: number, seed: number): Buffer {
  const random = seededRandom(seed);
  return Buffer.from(Uint8Array.from({ length: byteLength }, () => random() * 256));
}

export function chmodIn(root: string, path: string, mode: number): void {
  chmodSync(join(root, path), mode);
}

export interface TestLab {
  readonly database: LabDatabase;
  readonly trees: TreeStore;
  readonly datasets: Datasets;
}

/** Datasets in a folder, with short chunks. */
export async function openTestLab(root: string): Promise<TestLab> {
  mkdirSync(root, { recursive: true });
  const database = LabDatabase.open(join(root, 'lab.db'), [datasetSchema]);
  const trees = new TreeStore(await ChunkStore.open(join(root, 'store')), new ContentCutter(SMALL_CHUNKS));
  return { database, trees, datasets: new Datasets(database, trees) };
}
