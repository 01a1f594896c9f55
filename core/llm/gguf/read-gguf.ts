import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import path from 'node:path';
import { ByteSource } from '../../base';
import { SluiceError } from '../../contract';
import { badGguf, GgufCursor } from './gguf-cursor';
import { GgufMetadata } from './metadata';
import { readValue, type GgufValue } from './metadata-value';
import { checkTensors, readTensorInfo, type GgufTensor, type TensorInfo } from './tensor-info';

export interface GgufFile {
  /** Absolute. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly version: number;
  readonly metadata: GgufMetadata;
  /** By name, in file order. */
  readonly tensors: ReadonlyMap<string, GgufTensor>;
}

export interface ReadGgufOptions {
  /** What metadata and names may hold in memory before the file is refused (default 1 GiB). */
  readonly memoryLimitBytes?: number;
  readonly signal?: AbortSignal;
}

const DEFAULT_MEMORY_LIMIT_BYTES = 1024 ** 3;
/** Far above any file in use: about 50 keys; 2000 tensors. */
const MAX_KEYS = 65_536;
const MAX_TENSORS = 1_000_000;
/** The specification's own limit. */
const MAX_KEY_BYTES = 65_535;
const DEFAULT_ALIGNMENT_BYTES = 32;
/** Entries decoded before other work of the process gets its turn. */
const ENTRIES_PER_TURN = 500;

/**
 * Reads the header of a GGUF file, version 2 or 3: its metadata and where its tensors stand. No tensor is read; every
 * one lies within the file and none overlaps another.
 * @returns values owned by the caller; places of tensors are valid while the file stays unchanged.
 * @throws SluiceError `not-found`, `bad-model` (what, at which byte), `unsupported` (version, byte order, tensor type,
 * a model in several files), `io`, `cancelled`.
 */
export async function readGguf(filePath: string, options: ReadGgufOptions = {}): Promise<GgufFile> {
  const fullPath = path.resolve(filePath);
  const fd = openGguf(fullPath);
  try {
    const source = new ByteSource({
      name: fullPath,
      sizeBytes: fstatSync(fd).size,
      fd,
      memoryLimitBytes: options.memoryLimitBytes ?? DEFAULT_MEMORY_LIMIT_BYTES,
    });
    return await readHeader(source, options.signal);
  } finally {
    closeSync(fd);
  }
}

async function readHeader(source: ByteSource, signal: AbortSignal | undefined): Promise<GgufFile> {
  const cursor = new GgufCursor(source);
  checkMagic(cursor, source);
  const version = readVersion(cursor);
  const tensorCount = cursor.count('a number of tensors', MAX_TENSORS);
  const keyCount = cursor.count('a number of metadata keys', MAX_KEYS);
  const turns = new Turns(source.name, signal);
  const metadata = await readMetadata(cursor, keyCount, turns);
  const infos = new Map<string, TensorInfo>();
  for (let index = 0; index < tensorCount; index += 1) {
    await turns.next();
    const start = cursor.offset;
    const info = readTensorInfo(cursor);
    if (infos.has(info.name)) cursor.fail(`a second tensor is called '${info.name}'`, start);
    infos.set(info.name, info);
  }
  const alignment = metadata.optionalCount('general.alignment') ?? DEFAULT_ALIGNMENT_BYTES;
  if (alignment === 0 || alignment % 8 !== 0) {
    throw badGguf(source.name, `metadata 'general.alignment': expected a multiple of 8, found ${alignment}`);
  }
  return {
    path: source.name,
    sizeBytes: source.sizeBytes,
    version,
    metadata,
    tensors: checkTensors(source.name, infos, {
      alignment,
      dataOffset: Math.ceil(cursor.offset / alignment) * alignment,
      sizeBytes: source.sizeBytes,
    }),
  };
}

async function readMetadata(cursor: GgufCursor, keyCount: number, turns: Turns): Promise<GgufMetadata> {
  const values = new Map<string, GgufValue>();
  for (let index = 0; index < keyCount; index += 1) {
    await turns.next();
    const start = cursor.offset;
    const key = cursor.string('a metadata key', MAX_KEY_BYTES);
    if (values.has(key)) cursor.fail(`metadata '${key}' is there twice`, start);
    values.set(key, readValue(cursor, key));
  }
  const metadata = new GgufMetadata(cursor.file, values);
  const parts = metadata.optionalCount('split.count') ?? 1;
  if (parts > 1) {
    throw new SluiceError(
      'unsupported',
      `${cursor.file} is one of ${parts} files that make up a model. Join them (llama-gguf-split --merge) and import ` +
        'the one file that comes out.',
      { file: cursor.file, parts },
    );
  }
  return metadata;
}

/** Lets other work of the process run between entries, and notices a cancelled read. */
class Turns {
  private entries = 0;

  constructor(
    private readonly file: string,
    private readonly signal: AbortSignal | undefined,
  ) {}

  async next(): Promise<void> {
    if (this.entries++ % ENTRIES_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
    if (this.signal?.aborted) throw new SluiceError('cancelled', `Reading ${this.file} was cancelled.`);
  }
}

function openGguf(fullPath: string): number {
  let fd: number;
  try {
    // Without O_NONBLOCK, opening a named pipe would wait for its writer.
    fd = openSync(fullPath, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SluiceError(
      missing ? 'not-found' : 'io',
      missing
        ? `There is no file ${fullPath}. Give the path of a .gguf file.`
        : `Can't open ${fullPath}: ${reason}`,
      { file: fullPath },
      { cause },
    );
  }
  if (fstatSync(fd).isFile()) return fd;
  closeSync(fd);
  throw badGguf(fullPath, 'it is no regular file');
}

const MAGIC = 'GGUF';
/** First bytes of files that people take for GGUF. */
const FOREIGN: readonly (readonly [start: string, found: string])[] = [
  [
    'version https://git-lfs',
    'a Git LFS pointer, not the model itself; run `git lfs pull` where it came from',
  ],
  ['<', 'HTML or XML, perhaps an error page; download the model again'],
  ['{', 'JSON, perhaps an error message; download the model again'],
  ['PK\x03\x04', 'a ZIP archive (PyTorch checkpoints are too); convert the model to GGUF'],
  ['lmgg', "a model in ggml's old format; convert it to GGUF"],
  ['fmgg', "a model in ggml's old format; convert it to GGUF"],
  ['tjgg', "a model in ggml's old format; convert it to GGUF"],
];

function checkMagic(cursor: GgufCursor, source: ByteSource): void {
  if (source.sizeBytes === 0) cursor.fail('the file is empty; copy or download it again');
  const head = Buffer.from(source.copy(0, Math.min(32, source.sizeBytes))).toString('latin1');
  if (head.startsWith(MAGIC)) {
    cursor.offset = MAGIC.length;
    return;
  }
  const foreign = FOREIGN.find(([start]) => head.startsWith(start))?.[1];
  const safetensors =
    head.slice(6, 10) === '\0\0{"' ? 'a safetensors file; give the folder it stands in' : undefined;
  const bytes = Buffer.from(head.slice(0, 4), 'latin1').toString('hex');
  cursor.fail(`expected the letters GGUF, found ${foreign ?? safetensors ?? `bytes ${bytes}`}`);
}

function readVersion(cursor: GgufCursor): number {
  const version = cursor.uint32('the version');
  if (version === 2 || version === 3) return version;
  const swapped = version % 65_536 === 0;
  throw new SluiceError(
    'unsupported',
    swapped
      ? `${cursor.file} is a big-endian GGUF file; convert it to little-endian (gguf-convert-endian).`
      : `${cursor.file} is a GGUF file of version ${version}; versions 2 and 3 can be read. Convert the model again.`,
    { file: cursor.file, version },
  );
}
