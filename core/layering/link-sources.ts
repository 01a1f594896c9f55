import {
  closeSync,
  createReadStream,
  createWriteStream,
  fstatSync,
  linkSync,
  lstatSync,
  rmSync,
} from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { openBelow, realPathOf } from '../base';
import { modelFiles, type OnnxModel } from '../onnx';
import { ioError } from '../storage';

/**
 * Gives the files that hold a model's weights a second name in a folder that nobody else may write to: ONNX Runtime opens
 * them by name, after whatever was looked at before. Where the file system does not link, they are copied.
 * @param folder is made, for this user alone; removing it removes names (and copies), no file of the user's.
 * @returns by each file's path, its name in the folder.
 * @throws SluiceError `bad-model` for a file that lies elsewhere by now, `io`.
 */
export async function linkSources(model: OnnxModel, folder: string): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>();
  try {
    await mkdir(folder, { mode: 0o700 });
    for (const [index, { path, folders }] of modelFiles(model).entries()) {
      const name = `${index}.weights`;
      const fd = openBelow(path, folders);
      if (isLinked(fd, path, join(folder, name))) closeSync(fd);
      else await copyAndClose(fd, join(folder, name));
      names.set(path, name);
    }
  } catch (cause) {
    throw ioError(`Can't give ONNX Runtime the weights in ${folder}`, cause);
  }
  return names;
}

/** Whether `target` is now another name of the very file that is open. */
function isLinked(fd: number, path: string, target: string): boolean {
  try {
    linkSync(realPathOf(fd, path), target);
  } catch {
    // Another device, another's file, a file system without links: a copy does as well.
    return false;
  }
  const [opened, linked] = [fstatSync(fd, { bigint: true }), lstatSync(target, { bigint: true })];
  if (opened.dev === linked.dev && opened.ino === linked.ino) return true;
  rmSync(target);
  return false;
}

async function copyAndClose(fd: number, target: string): Promise<void> {
  const source = createReadStream('', { fd, start: 0, highWaterMark: 1 << 20 });
  await pipeline(source, createWriteStream(target, { flags: 'wx', mode: 0o600 }));
}
