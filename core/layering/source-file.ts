import { randomBytes } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { cp, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SluiceError } from '../contract';
import { ioError } from '../storage';

/** @returns the name of the folder in `folder` that the source's folder has become. @throws SluiceError `io`. */
export async function takeSource(sourcePath: string, folder: string): Promise<string> {
  const source = `source-${randomBytes(6).toString('hex')}`;
  const [from, to] = [dirname(sourcePath), join(folder, source)];
  try {
    await rename(from, to).catch(async (cause: unknown) => {
      if ((cause as NodeJS.ErrnoException).code !== 'EXDEV') throw cause;
      await cp(from, to, { recursive: true });
    });
  } catch (cause) {
    throw ioError(`Can't keep ${sourcePath}`, cause);
  }
  return source;
}

/** @throws SluiceError `not-found`. */
export function requireFile(path: string): void {
  if (existsSync(path) && statSync(path).isFile()) return;
  throw new SluiceError('not-found', `There is no file ${path}. Give the path of an .onnx file.`, { path });
}
