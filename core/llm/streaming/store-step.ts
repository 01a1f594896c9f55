import { readFile, rm, writeFile } from 'node:fs/promises';

import { median } from '../../base';
import { SluiceError } from '../../contract';
import { encodeModel, type OnnxModel } from '../../onnx';
import {
  allocateNativeMemory,
  heapBytes,
  OrtSession,
  releasePages,
  type NativeMemory,
  type OrtEnvironment,
  type SessionOptions,
  type SessionPorts,
} from '../../ort';
import { alignUp, ChunkSum, ioError } from '../../storage';
import type { StoredStep } from './stored-steps';

/** ONNX Runtime reads its own format without parsing: half the time of an ONNX file (docs/adr/0018). */
const OWN_FORMAT = {
  'session.load_model_format': 'ORT',
  'session.use_ort_model_bytes_directly': '1',
} as const;

/** A session that has its own copy of the weights. The graph was optimised when it was stored. */
export const COPYING: SessionOptions = { optimization: 'none', config: OWN_FORMAT };
/** A session that uses weights where they were read, as long as it lives. */
export const IN_PLACE: SessionOptions = {
  optimization: 'none',
  config: { ...OWN_FORMAT, 'session.use_ort_model_bytes_for_initializers': '1' },
};

/** V8 frees and takes buffers in the background, which makes a session look smaller or larger than it is. */
const MEASUREMENTS = 5;
/** Other threads allocate a little meanwhile. */
const MEASURED_IN_BYTES = 64 << 10;

/** A step in memory, as it is to be written. */
export interface PackedStep {
  readonly facts: Omit<StoredStep, 'name' | 'fileOffset'>;
  /** With zeros up to the next multiple of 4096; valid until `release`. */
  readonly bytes: Uint8Array;
  readonly isMeasured: boolean;
  readonly release: () => void;
}

/**
 * Optimises a graph, lays it out, and measures what its sessions take.
 * @param scratch path of a file that is written and removed.
 * @throws SluiceError `runtime`, `io`.
 */
export async function packStep(
  model: OnnxModel,
  environment: OrtEnvironment,
  scratch: string,
): Promise<PackedStep> {
  const { ports, written } = await optimised(encodeModel(model), environment, scratch);
  const memory = allocateNativeMemory(alignUp(written.byteLength));
  memory.bytes.set(written);
  const padded = alignUp(written.byteLength);
  const bytes = memory.bytes.subarray(0, written.byteLength);
  const resident = sessionBytes(environment, bytes, COPYING, ports);
  const streamed = sessionBytes(environment, bytes, IN_PLACE, ports);
  return {
    facts: {
      byteLength: written.byteLength,
      sum: sumOf(memory, padded),
      // A copy, and as much again at most where the kernels lay it out for themselves.
      residentBytes: resident ?? 2 * written.byteLength,
      streamedBytes: streamed ?? 2 * written.byteLength,
      ...ports,
    },
    bytes: memory.bytes.subarray(0, padded),
    isMeasured: resident !== undefined && streamed !== undefined,
    release: () => void releasePages(memory),
  };
}

const sums = new WeakMap<WebAssembly.Memory, ChunkSum>();

/** `ChunkSum` of the first bytes of a block, as the manifest has it. */
export function sumOf(
  { memory, byteOffset }: Pick<NativeMemory, 'memory' | 'byteOffset'>,
  byteLength: number,
): string {
  const chunks = sums.get(memory) ?? new ChunkSum(memory);
  sums.set(memory, chunks);
  return chunks.sum(byteOffset, byteLength).toString(16);
}

async function optimised(
  model: Uint8Array,
  environment: OrtEnvironment,
  scratch: string,
): Promise<{ readonly ports: SessionPorts; readonly written: Uint8Array }> {
  try {
    const session = createSaving(model, environment, scratch);
    const { inputs, outputs } = session;
    session.release();
    return { ports: { inputs, outputs }, written: await readFile(scratch) };
  } catch (error) {
    // ONNX Runtime does not say why a file could not be written: the file system does, for a file of this size.
    await rm(scratch, { force: true });
    await writeFile(scratch, model).catch((cause: unknown) => {
      throw ioError(`Can't write ${scratch}`, cause);
    });
    throw ioError(`Can't read ${scratch}`, error);
  } finally {
    await rm(scratch, { force: true });
  }
}

function createSaving(model: Uint8Array, environment: OrtEnvironment, path: string): OrtSession {
  return OrtSession.create(environment, model, {
    optimization: 'all',
    optimizedModelPath: path,
    config: { 'session.save_model_format': 'ORT' },
  });
}

/** What a session adds to the process; undefined where that can't be measured. */
function sessionBytes(
  environment: OrtEnvironment,
  bytes: Uint8Array,
  options: SessionOptions,
  ports: SessionPorts,
): number | undefined {
  const found: number[] = [];
  for (let attempt = 0; attempt < MEASUREMENTS; attempt += 1) {
    const before = heapBytes();
    const session = OrtSession.create(environment, bytes, options, ports);
    const after = heapBytes();
    session.release();
    if (before === undefined || after === undefined) return undefined;
    found.push(after - before);
  }
  // Weights laid out for the kernels take what they took.
  return alignUp(Math.max(bytes.byteLength, median(found)), MEASURED_IN_BYTES);
}

/** The error for a step that is not what was written. */
export function corruptStep(folder: string, name: string): SluiceError {
  return new SluiceError(
    'corrupt-store',
    `${name} in ${folder} is not what was written there. Load the model again: its weights are then laid out anew. ` +
      'If it comes back, check the disk.',
    { folder, layer: name },
  );
}
