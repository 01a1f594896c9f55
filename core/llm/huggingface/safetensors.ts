import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';

import { z } from 'zod';

import { SluiceError } from '../../contract';
import { ioError } from '../../storage';
import { duplicateKey } from './duplicate-key';

/** A tensor of a safetensors file. */
export interface SafeTensor {
  readonly name: string;
  /** `F32`, `BF16`, ... */
  readonly dtype: string;
  /** Row-major. */
  readonly dims: readonly number[];
  /** From the start of the file. */
  readonly offset: number;
  readonly byteLength: number;
}

/** Header of 100,000 tensors and more; the largest in use have some thousands. */
const MAX_HEADER_BYTES = 16 << 20;
const LENGTH_BYTES = 8;
const METADATA = '__metadata__';
/** Every dtype of the format, in bits (https://github.com/huggingface/safetensors), so that sizes can be checked. */
const DTYPE_BITS: Readonly<Record<string, number>> = {
  ...{ F4: 4, F6_E2M3: 6, F6_E3M2: 6, BOOL: 8, U8: 8, I8: 8, F8_E5M2: 8, F8_E4M3: 8, F8_E8M0: 8 },
  ...{ F8_E4M3FNUZ: 8, F8_E5M2FNUZ: 8, I16: 16, U16: 16, F16: 16, BF16: 16, I32: 32, U32: 32, F32: 32 },
  ...{ F64: 64, I64: 64, U64: 64, C64: 64 },
};
const size = z.int().nonnegative();
const entrySchema = z.object({
  dtype: z.string(),
  shape: z.array(size).max(16),
  data_offsets: z.tuple([size, size]),
});

/**
 * Reads the header of a safetensors file: no tensor is read; together they are the file's whole data, none over another.
 * @throws SluiceError `not-found`, `bad-model` (what, of which tensor), `unsupported` (dtype), `io`.
 */
export async function readSafetensors(file: string): Promise<readonly SafeTensor[]> {
  const handle = await openFile(file);
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw badFile(file, 'it is no regular file');
    const headerBytes = await headerLength(file, handle, stats.size);
    const text = utf8(file, await readAt(handle, LENGTH_BYTES, headerBytes));
    const dataOffset = LENGTH_BYTES + headerBytes;
    const entries = parseHeader(file, text);
    return placeTensors(file, entries, { dataOffset, dataBytes: stats.size - dataOffset });
  } catch (cause) {
    throw ioError(`Can't read ${file}`, cause);
  } finally {
    await handle.close();
  }
}

async function openFile(file: string): Promise<FileHandle> {
  try {
    return await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw ioError(`Can't open ${file}`, cause);
    throw new SluiceError('not-found', `There is no file ${file}.`, { file }, { cause });
  }
}

async function headerLength(file: string, handle: FileHandle, fileBytes: number): Promise<number> {
  if (fileBytes < LENGTH_BYTES) {
    throw badFile(file, `it has ${fileBytes} bytes, less than a header; copy or download it again`);
  }
  const start = await readAt(handle, 0, LENGTH_BYTES);
  if (start.toString('latin1').startsWith('version ')) {
    throw badFile(file, 'it is a Git LFS pointer, not the weights; run `git lfs pull` where it came from');
  }
  const length = start.readBigUInt64LE();
  if (length > MAX_HEADER_BYTES) {
    throw badFile(file, `expected a header of at most ${MAX_HEADER_BYTES} bytes, found ${length}`);
  }
  const missing = LENGTH_BYTES + Number(length) - fileBytes;
  if (missing > 0) throw badFile(file, `its header is cut short, ${missing} bytes are missing; ${AGAIN}`);
  return Number(length);
}

async function readAt(handle: FileHandle, position: number, byteLength: number): Promise<Buffer> {
  const buffer = Buffer.alloc(byteLength);
  let done = 0;
  while (done < byteLength) {
    const { bytesRead } = await handle.read(buffer, done, byteLength - done, position + done);
    if (bytesRead === 0) throw new Error(`it became shorter while it was read`);
    done += bytesRead;
  }
  return buffer;
}

type Entry = z.infer<typeof entrySchema> & { readonly name: string };

function parseHeader(file: string, text: string): readonly Entry[] {
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch (cause) {
    throw badFile(file, `its header is no JSON: ${(cause as Error).message}`);
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) {
    throw badFile(file, 'expected a header that is an object by tensor name');
  }
  const twice = duplicateKey(text);
  if (twice !== undefined) throw badFile(file, `'${twice}' is there twice in its header`);
  return Object.entries(header)
    .filter(([name]) => name !== METADATA)
    .map(([name, value]) => {
      const entry = entrySchema.safeParse(value);
      if (entry.success) return { ...entry.data, name };
      const faults = entry.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
      throw badFile(file, `tensor '${name}': ${faults.join('; ')}`, name);
    });
}

interface DataSection {
  readonly dataOffset: number;
  readonly dataBytes: number;
}

/** One tensor begins where the one before ends: the format allows no gaps. */
function placeTensors(
  file: string,
  entries: readonly Entry[],
  { dataOffset, dataBytes }: DataSection,
): readonly SafeTensor[] {
  let end = 0;
  let previous = '';
  const byPlace = [...entries].sort(
    (a, b) => a.data_offsets[0] - b.data_offsets[0] || a.data_offsets[1] - b.data_offsets[1],
  );
  const tensors = byPlace.map((entry) => {
    const { name, dtype, shape, data_offsets: offsets } = entry;
    const byteLength = checkedLength(file, entry);
    if (offsets[0] < end) throw badFile(file, `tensors '${previous}' and '${name}' overlap`, name);
    if (offsets[0] > end) {
      throw badFile(file, `expected tensor '${name}' at byte ${end} of the data, found ${offsets[0]}`, name);
    }
    [, end] = offsets;
    previous = name;
    return { name, dtype, dims: shape, offset: dataOffset + offsets[0], byteLength };
  });
  if (end > dataBytes) {
    throw badFile(
      file,
      `its tensors take ${end} bytes, and ${dataBytes} are there; it was cut short, ${AGAIN}`,
    );
  }
  if (end < dataBytes) {
    throw badFile(
      file,
      `its tensors take ${end} bytes, and ${dataBytes} are there: nothing tells what the rest is`,
    );
  }
  return tensors;
}

function checkedLength(file: string, { name, dtype, shape, data_offsets: [begin, end] }: Entry): number {
  const bits = Object.hasOwn(DTYPE_BITS, dtype) ? DTYPE_BITS[dtype] : undefined;
  if (bits === undefined) {
    throw new SluiceError(
      'unsupported',
      `${file}: tensor '${name}' has the dtype '${dtype}', which this version of Sluice does not know.`,
      { file, tensor: name },
    );
  }
  const elements = shape.reduce((product, dim) => product * dim, 1);
  const expected = (elements * bits) / 8;
  if (!Number.isSafeInteger(elements * bits)) {
    throw badFile(file, `tensor '${name}': shape [${shape.join(', ')}] has too many elements`, name);
  }
  if (end - begin === expected) return expected;
  throw badFile(
    file,
    `tensor '${name}': [${shape.join(', ')}] of ${dtype} takes ${expected} bytes, its offsets say ${end - begin}`,
    name,
  );
}

const AGAIN = 'copy or download it again';

function utf8(file: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw badFile(file, 'its header is no UTF-8 text');
  }
}

function badFile(file: string, problem: string, tensor?: string): SluiceError {
  return new SluiceError('bad-model', `${file} is not a usable safetensors file: ${problem}`, {
    file,
    ...(tensor !== undefined && { tensor }),
  });
}
