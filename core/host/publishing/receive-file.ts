import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { SluiceError } from '../../contract';
import { ioError, processFolder, sweepProcessFolders } from '../../storage';

export interface ExpectedFile {
  readonly sha256: string;
  readonly fileBytes: number;
}

/** Models on their way here, each in a folder of its own: what it refers to beside it is not there. */
export class IncomingFiles {
  private constructor(private readonly root: string) {}

  /** Removes what killed processes had begun to receive. @throws SluiceError `io`. */
  static async open(root: string): Promise<IncomingFiles> {
    await sweepProcessFolders(root);
    return new IncomingFiles(root);
  }

  /**
   * Receives one file, uses it and removes it.
   * @throws SluiceError `bad-input` when it is not the one expected, `cancelled` when the sender is gone, `io`; and what `use`
   *   throws.
   */
  async with<T>(
    expected: ExpectedFile,
    body: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
    use: (path: string) => Promise<T>,
  ): Promise<T> {
    const folder = join(processFolder(this.root), randomBytes(6).toString('hex'));
    const path = join(folder, 'model.onnx');
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
        throw ioError(`Can't make ${folder}`, cause);
      });
      await receive(path, expected, body, signal);
      return await use(path);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}

async function receive(
  path: string,
  { sha256, fileBytes }: ExpectedFile,
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  const hash = createHash('sha256');
  let receivedBytes = 0;
  const file = await open(path, 'wx', 0o600).catch((cause: unknown) => {
    throw ioError(`Can't make ${path}`, cause);
  });
  try {
    for await (const chunk of body) {
      receivedBytes += chunk.byteLength;
      if (receivedBytes > fileBytes) break;
      hash.update(chunk);
      await file.writeFile(chunk).catch((cause: unknown) => {
        throw ioError(`Can't write ${path}`, cause);
      });
    }
  } catch (cause) {
    if (cause instanceof SluiceError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SluiceError(
      'cancelled',
      `The model broke off after ${receivedBytes} of ${fileBytes} bytes: ${reason}.`,
      {},
      { cause },
    );
  } finally {
    await file.close();
  }
  if (signal.aborted) throw new SluiceError('cancelled', 'Whoever published the model is gone.');
  if (receivedBytes !== fileBytes) {
    throw new SluiceError(
      'bad-input',
      `The model: expected ${fileBytes} bytes, found ${receivedBytes > fileBytes ? 'more' : receivedBytes}; send it again.`,
    );
  }
  const found = hash.digest('hex');
  if (found === sha256) return;
  throw new SluiceError(
    'bad-input',
    `The model: expected a file with SHA-256 ${sha256}, found ${found}; it was changed on the way: send it again.`,
    { expected: sha256, found },
  );
}
