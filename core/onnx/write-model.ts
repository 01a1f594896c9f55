import { closeSync, read } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

import { openBelow } from '../base';
import { SluiceError } from '../contract';
import { joinBytes } from './decode-tensor';
import { encodeModelProto } from './encode';
import type { ExternalPlace, Placer } from './encode';
import type { OnnxGraph, OnnxModel, OnnxTensor } from './model';
import type { ProtoWriter, Segment } from './proto-writer';
import { tensorDataBytes } from './tensor-data';

/** Protocol Buffers' own limit for one message; ONNX Runtime and every other reader refuse more. */
const PROTO_LIMIT_BYTES = 2 ** 31 - 1;
const COPY_BYTES = 1024 * 1024;
const readInto = promisify(read);
const DEFAULT_EXTERNAL_MIN_BYTES = 1024;
/** Memory mapping wants page-aligned data. */
const DEFAULT_ALIGNMENT_BYTES = 4096;

export interface WriteModelOptions {
  /** Puts the data of large initializers and constants into a second file beside the model. */
  readonly externalData?: {
    /** File name, relative to the folder of the model. */
    readonly file: string;
    /** Smaller data stay in the model (default 1024). */
    readonly minBytes?: number;
    /** Each tensor starts at a multiple of this (default 4096). */
    readonly alignmentBytes?: number;
  };
  /**
   * Data that already stand in files are not copied: the model refers to those files, which must be inside
   * `externalBase` (default: the folder of the model). Not together with `externalData`.
   */
  readonly keepFileRefs?: boolean;
  readonly externalBase?: string;
  /** By absolute path, under which name relative to `externalBase` a file can be found. */
  readonly externalNames?: ReadonlyMap<string, string>;
  readonly signal?: AbortSignal;
}

/**
 * Writes a model, streaming data that stand in files. The file (and before it the external data file) appears whole or not
 * at all, and may replace a file that the model itself refers to; its references are then no longer valid.
 * @throws SluiceError `unsupported` beyond 2 GiB without external data, `bad-input` for files outside
 * `externalBase`, `io`, `cancelled`.
 */
export async function writeModel(
  model: OnnxModel,
  filePath: string,
  options: WriteModelOptions = {},
): Promise<void> {
  const folder = path.dirname(path.resolve(filePath));
  const external = options.externalData ? planExternal(model, options.externalData) : undefined;
  const place = external?.place ?? keepRefs({ externalBase: folder, ...options });
  const message = encodeModelProto(model, place);
  checkSize(message, filePath);
  const files = [{ path: filePath, segments: message.finish() }];
  if (external && options.externalData) {
    files.unshift({ path: path.join(folder, options.externalData.file), segments: external.segments() });
  }
  await writeFiles(files, options.signal);
}

/**
 * A model as bytes in memory. Data in files are refused unless `keepFileRefs` refers to them; meant for small graphs.
 * @throws SluiceError `bad-input` for a file reference that cannot be kept, `unsupported` beyond 2 GiB.
 */
export function encodeModel(
  model: OnnxModel,
  options: Pick<WriteModelOptions, 'keepFileRefs' | 'externalBase' | 'externalNames'> = {},
): Uint8Array {
  if (options.keepFileRefs && options.externalBase === undefined) {
    throw new SluiceError(
      'bad-input',
      'encodeModel: keepFileRefs needs externalBase, the folder references start at',
    );
  }
  const message = encodeModelProto(model, keepRefs({ externalBase: '', ...options }));
  checkSize(message, 'the encoded model');
  const inMemory = (segment: Segment): segment is Uint8Array => segment instanceof Uint8Array;
  const segments = message.finish();
  if (!segments.every(inMemory)) {
    throw new SluiceError(
      'bad-input',
      'encodeModel: the model refers to data in files; use writeModel, or keepFileRefs to refer to them',
    );
  }
  return joinBytes(segments);
}

function keepRefs({
  keepFileRefs = false,
  externalBase,
  externalNames,
}: Pick<WriteModelOptions, 'keepFileRefs' | 'externalNames'> & { readonly externalBase: string }): Placer {
  if (!keepFileRefs) return () => undefined;
  const from = path.resolve(externalBase);
  return ({ name, data }) => {
    if (data.kind !== 'file') return undefined;
    const relative = externalNames?.get(data.path) ?? path.relative(from, data.path);
    if (relative.startsWith('..') || path.isAbsolute(relative)) {
      throw new SluiceError(
        'bad-input',
        `tensor '${name}': its data are in ${data.path}, outside ${from}; ONNX can refer only to files below the ` +
          'folder of the model',
        { tensor: name, file: data.path },
      );
    }
    return { location: relative.split(path.sep).join('/'), offset: data.offset, byteLength: data.byteLength };
  };
}

/** Lays out the external data file: every large initializer and constant of the model and its subgraphs, aligned. */
function planExternal(
  model: OnnxModel,
  settings: NonNullable<WriteModelOptions['externalData']>,
): { place: Placer; segments: () => Segment[] } {
  const minBytes = settings.minBytes ?? DEFAULT_EXTERNAL_MIN_BYTES;
  const alignment = settings.alignmentBytes ?? DEFAULT_ALIGNMENT_BYTES;
  const places = new Map<OnnxTensor, ExternalPlace>();
  let size = 0;
  for (const tensor of tensorsOf(model.graph)) {
    const byteLength = tensorDataBytes(tensor);
    const stays = tensor.data.kind === 'strings' || byteLength < Math.max(minBytes, 1);
    if (stays || places.has(tensor)) continue;
    const offset = Math.ceil(size / alignment) * alignment;
    places.set(tensor, { location: settings.file, offset, byteLength });
    size = offset + byteLength;
  }
  return {
    place: (tensor) => places.get(tensor),
    segments: () => externalSegments(places),
  };
}

function externalSegments(places: ReadonlyMap<OnnxTensor, ExternalPlace>): Segment[] {
  const segments: Segment[] = [];
  let size = 0;
  for (const [{ data }, { offset, byteLength }] of places) {
    if (data.kind === 'strings') continue;
    if (offset > size) segments.push(new Uint8Array(offset - size));
    segments.push(data.kind === 'inline' ? data.bytes : data);
    size = offset + byteLength;
  }
  return segments;
}

function* tensorsOf(graph: OnnxGraph): Generator<OnnxTensor> {
  yield* graph.initializers;
  for (const { attributes } of graph.nodes) {
    for (const attribute of attributes) {
      if (attribute.type === 'tensor') yield attribute.value;
      if (attribute.type === 'graph') yield* tensorsOf(attribute.value);
      if (attribute.type === 'graphs') for (const inner of attribute.value) yield* tensorsOf(inner);
    }
  }
}

function checkSize(message: ProtoWriter, name: string): void {
  if (message.byteLength <= PROTO_LIMIT_BYTES) return;
  throw new SluiceError(
    'unsupported',
    `${name} would have ${message.byteLength} bytes; an ONNX file holds at most ${PROTO_LIMIT_BYTES}: write the ` +
      'weights to external data',
  );
}

interface OutputFile {
  readonly path: string;
  readonly segments: readonly Segment[];
}

/** Keeps temporary names apart when one file is written twice at the same time. */
let writes = 0;

/** Writes all files under temporary names, then renames them, the model last. */
async function writeFiles(files: readonly OutputFile[], signal: AbortSignal | undefined): Promise<void> {
  writes += 1;
  const suffix = `${process.pid}-${writes}.partial`;
  const temporary = (file: OutputFile): string => `${file.path}.${suffix}`;
  try {
    for (const file of files) await writeSegments(temporary(file), file.segments, signal);
    for (const file of files) await rename(temporary(file), file.path);
  } catch (thrown) {
    for (const file of files) await rm(temporary(file), { force: true });
    if (thrown instanceof SluiceError) throw thrown;
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new SluiceError(
      'io',
      `writing ${files.map((file) => file.path).join(' and ')} failed: ${reason}; the model file was not changed`,
      {},
      { cause: thrown },
    );
  }
}

async function writeSegments(
  filePath: string,
  segments: readonly Segment[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const sources = new Map<string, number>();
  const target = await open(filePath, 'w');
  try {
    for (const segment of segments) {
      if (signal?.aborted) throw new SluiceError('cancelled', `writing ${filePath} was cancelled`);
      if (segment instanceof Uint8Array) {
        await target.writeFile(segment);
        continue;
      }
      const source = sources.get(segment.path) ?? openBelow(segment.path, segment.folders);
      sources.set(segment.path, source);
      await copySpan(source, target, segment, signal);
    }
  } finally {
    await target.close();
    for (const source of sources.values()) closeSync(source);
  }
}

async function copySpan(
  source: number,
  target: FileHandle,
  span: Exclude<Segment, Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const chunk = new Uint8Array(Math.min(COPY_BYTES, span.byteLength));
  let done = 0;
  while (done < span.byteLength) {
    if (signal?.aborted) throw new SluiceError('cancelled', `copying ${span.path} was cancelled`);
    const want = Math.min(chunk.byteLength, span.byteLength - done);
    const { bytesRead } = await readInto(source, chunk, 0, want, span.offset + done);
    if (bytesRead === 0) {
      throw new SluiceError(
        'io',
        `${span.path}: expected ${span.byteLength} bytes at byte ${span.offset}, found the end of the file after ` +
          `${done}; it became shorter since the model was read`,
        { file: span.path },
      );
    }
    await target.writeFile(chunk.subarray(0, bytesRead));
    done += bytesRead;
  }
}
