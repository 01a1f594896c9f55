import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { formatBytes } from '../../base';
import { SluiceError } from '../../contract';
import { ioError } from '../../storage';
import { discardUpload, uploadFolder } from '../models/uploads';

/**
 * A file name that is one everywhere, from what a browser said: the last part of a path, letters, digits, dots, dashes
 * and underscores, not hidden, at most 100 characters.
 * @throws SluiceError `bad-input` when nothing is left.
 */
export function safeFileName(name: string): string {
  const last = name.split(/[/\\]/).at(-1) ?? '';
  const safe = last
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[.-]+/, '')
    .slice(-100);
  if (safe !== '') return safe;
  throw new SluiceError(
    'bad-input',
    `Upload: expected a file name in ?name=, found ${JSON.stringify(name)}.`,
  );
}

/** `FOLDER/NAME`: beside an earlier upload of this process. */
const BESIDE = /^([0-9a-f]{16})\/[^/\\]+$/;

/**
 * Streams a request's body to a file of its own.
 * @returns its absolute path.
 * @throws SluiceError `bad-input` when it is larger than `maxBytes`; `io`. Nothing is left behind then.
 */
export async function receiveUpload(
  request: IncomingMessage,
  name: string,
  dataDir: string,
  maxBytes: number,
): Promise<string> {
  const fileName = safeFileName(name);
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(fileName, maxBytes);
  // A folder each: two files of one name must not meet, and the model is named after the file. A model of several files
  // names the folder that its first one came to.
  const beside = BESIDE.exec(name)?.[1];
  const folder = join(uploadFolder(dataDir), beside ?? randomBytes(8).toString('hex'));
  const path = join(folder, fileName);
  try {
    if (beside === undefined) await mkdir(folder, { recursive: true });
    await pipeline(request, limitTo(maxBytes, fileName), createWriteStream(path, { flags: 'wx' }));
    return path;
  } catch (cause) {
    // One that exists is another's.
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') await discardUpload(dataDir, path);
    throw ioError(`Upload of ${fileName} failed`, cause);
  }
}

function limitTo(maxBytes: number, fileName: string): Transform {
  let received = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      received += chunk.length;
      if (received > maxBytes) done(tooLarge(fileName, maxBytes));
      else done(null, chunk);
    },
  });
}

function tooLarge(fileName: string, maxBytes: number): SluiceError {
  return new SluiceError(
    'bad-input',
    `${fileName} is larger than ${formatBytes(maxBytes)}. Copy it to the engine's machine and import it by its path.`,
    { maxBytes },
  );
}
