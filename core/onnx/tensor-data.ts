import { closeSync, read, readSync } from 'node:fs';
import { promisify } from 'node:util';

import { openBelow } from '../base';
import { SluiceError } from '../contract';
import type { FileData, OnnxTensor, TensorData } from './model';

const readInto = promisify(read);

/**
 * A tensor's bytes, little-endian and row-major; read from its file when they are not in memory.
 * @returns for inline data the model's own array (do not write to it), else a fresh one.
 * @throws SluiceError `bad-input` for strings, `io`.
 */
export async function readTensorBytes(tensor: OnnxTensor): Promise<Uint8Array> {
  const data = fixedData(tensor);
  if (data.kind === 'inline') return data.bytes;
  const bytes = new Uint8Array(data.byteLength);
  try {
    const fd = openBelow(data.path, data.folders);
    try {
      let done = 0;
      while (done < bytes.byteLength) {
        const { bytesRead } = await readInto(fd, bytes, done, bytes.byteLength - done, data.offset + done);
        if (bytesRead === 0) throw cutShort(tensor, data, done);
        done += bytesRead;
      }
    } finally {
      closeSync(fd);
    }
  } catch (thrown) {
    throw readFault(tensor, data, thrown);
  }
  return bytes;
}

/** As `readTensorBytes`, blocking the thread: for small tensors. */
export function readTensorBytesSync(tensor: OnnxTensor): Uint8Array {
  const data = fixedData(tensor);
  if (data.kind === 'inline') return data.bytes;
  const bytes = new Uint8Array(data.byteLength);
  try {
    const fd = openBelow(data.path, data.folders);
    try {
      let done = 0;
      while (done < bytes.byteLength) {
        const got = readSync(fd, bytes, done, bytes.byteLength - done, data.offset + done);
        if (got === 0) throw cutShort(tensor, data, done);
        done += got;
      }
    } finally {
      closeSync(fd);
    }
  } catch (thrown) {
    throw readFault(tensor, data, thrown);
  }
  return bytes;
}

/** Bytes of a tensor's data in memory or on disk. Strings count by their own lengths. */
export function tensorDataBytes(tensor: OnnxTensor): number {
  const { data } = tensor;
  if (data.kind === 'strings') return data.values.reduce((sum, value) => sum + value.byteLength, 0);
  return data.kind === 'inline' ? data.bytes.byteLength : data.byteLength;
}

function fixedData(tensor: OnnxTensor): Exclude<TensorData, { kind: 'strings' }> {
  if (tensor.data.kind !== 'strings') return tensor.data;
  throw new SluiceError('bad-input', `tensor '${tensor.name}' holds strings; expected numbers`);
}

function cutShort(tensor: OnnxTensor, data: FileData, done: number): SluiceError {
  return new SluiceError(
    'io',
    `tensor '${tensor.name}': expected ${data.byteLength} bytes at byte ${data.offset} of ${data.path}, found the ` +
      `end of the file after ${done}; it became shorter since the model was read`,
    { tensor: tensor.name, file: data.path },
  );
}

function readFault(tensor: OnnxTensor, data: FileData, thrown: unknown): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  return new SluiceError(
    'io',
    `tensor '${tensor.name}': reading ${data.byteLength} bytes at byte ${data.offset} of ${data.path} failed: ${reason}`,
    { tensor: tensor.name, file: data.path },
    { cause: thrown },
  );
}
