import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import path from 'node:path';

import { ByteSource, realPathOf } from '../base';
import { SluiceError } from '../contract';
import { decodeGraphSteps } from './decode-graph';
import { canonicalDomain } from './decode-node';
import { decodeEntry, joinBytes } from './decode-tensor';
import type { DecodeContext } from './decode-tensor';
import { ExternalData } from './external-data';
import { describeForeignFile, looksLikeText } from './foreign-file';
import type { OnnxGraph, OnnxModel, OpsetId } from './model';
import { ProtoReader, badModel } from './proto-reader';
import { FIELDS } from './schema';

const MODEL = FIELDS.ModelProto;
const MODEL_EXTRA: ReadonlySet<number> = new Set([
  MODEL.producer_version,
  MODEL.domain,
  MODEL.model_version,
  MODEL.doc_string,
  MODEL.configuration,
]);
const DEFAULT_INLINE_LIMIT_BYTES = 64 * 1024;
const DEFAULT_MEMORY_LIMIT_BYTES = 1024 ** 3;
/** Graph fields decoded before other work of the process gets its turn: about 10 ms. */
const FIELDS_PER_TURN = 2000;

export interface ReadModelOptions {
  /** Tensor data larger than this stays in its file (default 64 KiB). External data always does. */
  readonly inlineLimitBytes?: number;
  /** What may be held in memory (nodes, names, small tensors) before the file is refused (default 1 GiB). */
  readonly memoryLimitBytes?: number;
  readonly signal?: AbortSignal;
}

/**
 * Reads an ONNX file of any size; large weights are not read but referred to, in the model file or its external
 * data. Training information, attribute doc strings and type denotations are dropped; all else survives writing.
 * The domain `ai.onnx` is read as ''.
 * @returns a model owned by the caller. File references are valid while the files stay unchanged.
 * @throws SluiceError `not-found`, `bad-model` (what, at which byte), `unsupported`, `io`, `cancelled`.
 */
export async function readModel(filePath: string, options: ReadModelOptions = {}): Promise<OnnxModel> {
  const fullPath = path.resolve(filePath);
  const fd = openModel(fullPath);
  try {
    const source = new ByteSource({
      name: fullPath,
      sizeBytes: fstatSync(fd).size,
      fd,
      memoryLimitBytes: options.memoryLimitBytes ?? DEFAULT_MEMORY_LIMIT_BYTES,
    });
    const external = new ExternalData(fullPath, path.dirname(fullPath), realPathOf(fd, fullPath));
    const model = await decodeGivingWay(source, options.signal, {
      path: fullPath,
      inlineLimitBytes: options.inlineLimitBytes ?? DEFAULT_INLINE_LIMIT_BYTES,
      external,
    });
    external.finish();
    return model;
  } finally {
    closeSync(fd);
  }
}

/**
 * Decodes a model that is wholly in memory. All data is copied; `bytes` may be reused afterwards.
 * @param name what to call the model in error messages.
 * @throws SluiceError `bad-model` (also for external data, which bytes alone do not have), `unsupported`.
 */
export function decodeModel(bytes: Uint8Array, name = 'model'): OnnxModel {
  const source = new ByteSource({
    name,
    sizeBytes: bytes.byteLength,
    bytes,
    memoryLimitBytes: DEFAULT_MEMORY_LIMIT_BYTES,
  });
  const steps = decodeSteps(source, { inlineLimitBytes: Infinity });
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

function openModel(fullPath: string): number {
  let fd: number;
  try {
    // Without O_NONBLOCK, opening a named pipe would wait for its writer.
    fd = openSync(fullPath, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    throw new SluiceError(
      code === 'ENOENT' ? 'not-found' : 'io',
      code === 'ENOENT'
        ? `${fullPath} does not exist; expected an ONNX file`
        : `${fullPath} can't be opened: ${cause instanceof Error ? cause.message : String(cause)}`,
      { file: fullPath },
      { cause },
    );
  }
  if (fstatSync(fd).isFile()) return fd;
  closeSync(fd);
  throw new SluiceError('bad-model', `${fullPath} is not a regular file; expected an ONNX file`, {
    file: fullPath,
  });
}

async function decodeGivingWay(
  source: ByteSource,
  signal: AbortSignal | undefined,
  context: DecodeContext,
): Promise<OnnxModel> {
  const steps = decodeSteps(source, context);
  for (let count = 0; ; count += 1) {
    if (count % FIELDS_PER_TURN === 0) {
      await new Promise((resolve) => setImmediate(resolve));
      if (signal?.aborted) throw new SluiceError('cancelled', `reading ${source.name} was cancelled`);
    }
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** Decoding with a file-format explanation when the bytes are plainly something else. */
function* decodeSteps(source: ByteSource, context: DecodeContext): Generator<undefined, OnnxModel> {
  const head = source.copy(0, Math.min(source.sizeBytes, 512));
  const foreign = describeForeignFile(head);
  if (foreign !== undefined) throw notAModel(source.name, foreign);
  try {
    return yield* decodeModelSteps(source, context);
  } catch (thrown) {
    if (thrown instanceof SluiceError && thrown.code === 'bad-model' && looksLikeText(head)) {
      throw notAModel(source.name, 'the file holds text', thrown);
    }
    throw thrown;
  }
}

function notAModel(name: string, found: string, cause?: unknown): SluiceError {
  return new SluiceError(
    'bad-model',
    `${name} is not an ONNX model: byte 0: expected a ModelProto (protobuf), found that ${found}`,
    { file: name, offset: 0 },
    cause === undefined ? undefined : { cause },
  );
}

function* decodeModelSteps(source: ByteSource, context: DecodeContext): Generator<undefined, OnnxModel> {
  const reader = new ProtoReader(source, 'ModelProto', 0, source.sizeBytes);
  let irVersion = 0;
  let producerName = '';
  let graph: OnnxGraph | undefined;
  const opsets: OpsetId[] = [];
  const functions: Uint8Array[] = [];
  const metadata = new Map<string, string>();
  const extra: Uint8Array[] = [];
  while (reader.next()) {
    switch (reader.field) {
      case MODEL.ir_version:
        irVersion = reader.integer();
        break;
      case MODEL.producer_name:
        producerName = reader.string();
        break;
      case MODEL.graph:
        if (graph) reader.fail('expected one graph, found a second one');
        graph = yield* decodeGraphSteps(reader.child('GraphProto'), context);
        break;
      case MODEL.opset_import:
        opsets.push(decodeOpset(reader.child('OperatorSetIdProto')));
        break;
      case MODEL.metadata_props:
        metadata.set(...decodeEntry(reader.child('StringStringEntryProto')));
        break;
      case MODEL.functions:
        functions.push(reader.bytes());
        break;
      default:
        if (MODEL_EXTRA.has(reader.field)) extra.push(reader.wholeField());
    }
  }
  if (!graph) {
    throw badModel(
      source.name,
      source.sizeBytes,
      'expected a graph (field 7 of ModelProto), found the end of the file',
    );
  }
  const model = { irVersion, producerName, opsets, graph, functions, metadata };
  return extra.length === 0 ? model : { ...model, extra: joinBytes(extra) };
}

function decodeOpset(reader: ProtoReader): OpsetId {
  let domain = '';
  let version = 0;
  while (reader.next()) {
    if (reader.field === FIELDS.OperatorSetIdProto.domain) domain = reader.string();
    else if (reader.field === FIELDS.OperatorSetIdProto.version) version = reader.integer();
  }
  return { domain: canonicalDomain(domain), version };
}
