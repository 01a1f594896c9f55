import type { Clock } from '../../base';
import { ChunkStore } from './chunks/chunk-store';
import { TreeStore } from './tree/tree-store';

/** Trees in a folder that several processes may use at once. @throws SluiceError `io`. */
export async function openTrees(folder: string, clock?: Clock): Promise<TreeStore> {
  return new TreeStore(await ChunkStore.open(folder, clock));
}
