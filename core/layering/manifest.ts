import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { faultTexts, refuseNewer, SluiceError } from '../contract';
import { ioError, isDiskFault } from '../storage';
import { manifestFaults } from './manifest-faults';

/** More would help nobody. */
const MOST_FAULTS = 20;
/** Version of the store's layout. A newer store is refused, an older one recompiled. */
export const STORE_FORMAT = 2;
export const MANIFEST_FILE = 'manifest.json';
export const WEIGHTS_FILE = 'weights.bin';

const count = z.number().int().nonnegative();
/** -1: free. */
const shape = z.array(z.number().int().min(-1));
const tensorSpec = z.object({ name: z.string(), dtype: z.string(), shape });

const weight = z.object({
  name: z.string(),
  /** `TensorProto.DataType`. */
  dtype: count,
  dims: z.array(count),
  /** In the weights file, bytes. */
  fileOffset: count,
  byteLength: count,
});

/**
 * How a layer's first node can be run in parts, each with a range of its largest weight's rows. A unit is the least
 * part whose bytes start and end on a direct I/O boundary and whose results have the same bits as in the whole.
 */
const tiling = z.object({
  /** Rows (output channels or columns) of a unit, and of the whole weight. */
  unitRows: count.min(1),
  /** A part of fewer rows, left over behind the units, has other bits: it goes with the unit before it. */
  minRows: count.min(1),
  rows: count.min(1),
  rowBytes: count.min(1),
  /** Axis of the output that the rows become; negative counts from the end. */
  outputAxis: z.number().int(),
  /** Inputs of the node by name: the tiled weight, and optional operands split along with it. */
  weight: z.string(),
  bias: z.string().optional(),
  sum: z.string().optional(),
  output: z.string(),
  /** Shape of the whole output, -1 where free; decides whether parts lie one after the other in memory. */
  outputShape: shape,
});

/** An embedding table: only the rows asked for are read. */
const gather = z.object({
  weight: z.string(),
  rows: count.min(1),
  rowBytes: count.min(1),
  indices: z.string(),
  output: z.string(),
});

const layer = z.object({
  name: z.string(),
  op: z.string(),
  nodes: count,
  /** Relative path of its graph: weights are graph inputs, small constants are initializers. */
  graph: z.string().regex(/^layers\/\w+\.onnx$/, 'must be a file of the store'),
  inputs: z.array(z.string()),
  outputs: z.array(z.string()),
  /** Its own block in the weights file; a multiple of 4096 at a multiple of 4096. */
  fileOffset: count,
  byteLength: count,
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** In the order of the block; one that lies outside the block is shared with an earlier layer. */
  weights: z.array(weight),
  /** Bytes of constants kept inside ONNX Runtime. */
  constantBytes: count,
  tiling: tiling.optional(),
  gather: gather.optional(),
});

const manifest = z.object({
  format: z.literal(STORE_FORMAT),
  runtimeVersion: z.string(),
  instructionSet: z.string(),
  provider: z.string(),
  source: z.object({
    file: z.string(),
    sha256: z.string(),
    byteLength: count,
    /** Files with weights outside it, by their place relative to it; unknown in stores of before. */
    beside: z.array(z.object({ file: z.string(), sha256: z.string(), byteLength: count })).optional(),
  }),
  opsets: z.array(z.object({ domain: z.string(), version: z.number().int() })),
  irVersion: count,
  inputs: z.array(tensorSpec),
  outputs: z.array(tensorSpec),
  /** Parameter bytes of the imported model, W. */
  weightBytes: count,
  layers: z.array(layer).min(1),
  /** dtype code and shape (-1: free) of every value that crosses a layer border. */
  values: z.record(z.string(), z.object({ dtype: count, shape })),
  notes: z.array(z.string()),
});

export type StoreManifest = z.infer<typeof manifest>;
export type LayerRecord = z.infer<typeof layer>;
export type WeightRecord = z.infer<typeof weight>;
export type TilingRecord = z.infer<typeof tiling>;
export type GatherRecord = z.infer<typeof gather>;

/**
 * Reads and checks a store's manifest.
 * @throws SluiceError `corrupt-store` for a missing or malformed manifest, `stale-store` for an older format,
 * `unsupported` for a newer one, `io`.
 */
export function readManifest(storePath: string): StoreManifest {
  const path = join(storePath, MANIFEST_FILE);
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    if (isDiskFault(cause)) throw ioError(`Can't read ${path}`, cause);
    throw new SluiceError(
      'corrupt-store',
      `${path} can't be read. Import the model again.`,
      { path },
      { cause },
    );
  }
  refuseNewer(value, 'format', { path, what: 'a layer store', known: STORE_FORMAT });
  const format = (value as { format?: unknown } | null)?.format;
  if (typeof format === 'number' && format !== STORE_FORMAT) {
    throw new SluiceError(
      'stale-store',
      `${path} has store format ${format}; this Sluice reads ${STORE_FORMAT}. Import the model again.`,
      { path, format },
    );
  }
  const parsed = manifest.safeParse(value);
  const faults = parsed.success
    ? manifestFaults(parsed.data).slice(0, MOST_FAULTS)
    : faultTexts(parsed.error.issues, 'the whole');
  if (parsed.success && faults.length === 0) return parsed.data;
  throw new SluiceError(
    'corrupt-store',
    `${path} is not a store manifest: ${faults.slice(0, 5).join('; ')}.`,
    {
      path,
      faults,
    },
  );
}

/**
 * @throws SluiceError `stale-store` when the store was compiled for another instruction set or runtime: its weights
 * are laid out for exactly one.
 */
export function checkManifestFits(
  store: StoreManifest,
  here: { readonly runtimeVersion: string; readonly instructionSet: string },
): void {
  const faults: string[] = [];
  if (store.instructionSet !== here.instructionSet) {
    faults.push(`compiled for ${store.instructionSet}, this CPU is ${here.instructionSet}`);
  }
  if (store.runtimeVersion !== here.runtimeVersion) {
    faults.push(`compiled with ONNX Runtime ${store.runtimeVersion}, this is ${here.runtimeVersion}`);
  }
  if (faults.length > 0) {
    throw new SluiceError(
      'stale-store',
      `The layer store is ${faults.join(' and ')}. Import the model again.`,
      {
        faults,
      },
    );
  }
}
