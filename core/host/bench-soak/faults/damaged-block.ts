import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

const WEIGHTS_FILE = 'weights.bin';

/** The weights of a network in the library. @returns undefined when they are not where they are kept. */
export function weightsOf(dataDir: string, network: string): string | undefined {
  const folder = join(dataDir, 'models', network);
  return readdirSync(folder)
    .map((store) => join(folder, store, WEIGHTS_FILE))
    .find((path) => existsSync(path));
}

/** Turns some bits around, as a worn flash cell does. @param luck 0 to 1: where. @returns puts them back. */
export function flipBits(path: string, luck: number): () => void {
  const { size } = statSync(path);
  const position = Math.min(size - 1, Math.floor(luck * size));
  const byte = new Uint8Array(1);
  const file = openSync(path, 'r+');
  const turn = (): void => {
    readSync(file, byte, 0, 1, position);
    byte[0] = byte[0]! ^ 0b0101_0101;
    writeSync(file, byte, 0, 1, position);
  };
  turn();
  return () => {
    turn();
    closeSync(file);
  };
}

/** Cuts off the end, as a file system does that lost its newest blocks. @returns puts it back. */
export function cutEnd(path: string, luck: number): () => void {
  const { size } = statSync(path);
  const keptBytes = Math.floor(size * luck);
  const end = new Uint8Array(size - keptBytes);
  const file = openSync(path, 'r+');
  readSync(file, end, 0, end.length, keptBytes);
  truncateSync(path, keptBytes);
  return () => {
    writeSync(file, end, 0, end.length, keptBytes);
    closeSync(file);
  };
}
