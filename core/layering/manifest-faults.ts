import { DIRECT_ALIGNMENT } from '../storage';
import type { LayerRecord, StoreManifest, WeightRecord } from './manifest';
import { tensorByteLength } from './tensors';

/**
 * What of a manifest does not fit the rest of it: whoever loads the store hands addresses and lengths that come from here to
 * native code, which believes them.
 */
export function manifestFaults({ layers }: StoreManifest): readonly string[] {
  return layers.flatMap((layer, index) =>
    [
      ...blockFaults(layer),
      ...layer.weights.flatMap((weight) => weightFaults(weight, layers, index)),
      ...tilingFaults(layer),
      ...gatherFaults(layer),
    ].map((fault) => `layers.${index}: ${fault}`),
  );
}

function blockFaults({ fileOffset, byteLength }: LayerRecord): readonly string[] {
  const isSound =
    fileOffset % DIRECT_ALIGNMENT === 0 &&
    byteLength % DIRECT_ALIGNMENT === 0 &&
    Number.isSafeInteger(fileOffset + byteLength);
  return isSound
    ? []
    : [`expected a block of multiples of ${DIRECT_ALIGNMENT} bytes, found ${fileOffset}+${byteLength}`];
}

/** One that an earlier layer uses too lies in that one's block. */
function weightFaults(
  weight: WeightRecord,
  layers: readonly LayerRecord[],
  index: number,
): readonly string[] {
  const { name, dtype, dims, fileOffset, byteLength } = weight;
  const expected = tensorByteLength(dtype, dims);
  const isIn = (layer: LayerRecord | undefined): boolean =>
    layer !== undefined &&
    layer.fileOffset <= fileOffset &&
    fileOffset + byteLength <= layer.fileOffset + layer.byteLength;
  const isInside =
    byteLength === 0 || isIn(layers[index]) || layers.some((layer, at) => at < index && isIn(layer));
  const size =
    expected === undefined
      ? `elements of a known size, found type ${dtype}`
      : `${expected} bytes, found ${byteLength}`;
  return [
    ...(expected === byteLength ? [] : [`${name}: expected ${size}`]),
    ...(isInside ? [] : [`${name}: ${fileOffset}+${byteLength} is in no layer's block`]),
  ];
}

function tilingFaults({ tiling, weights }: LayerRecord): readonly string[] {
  if (!tiling) return [];
  const { rows, rowBytes, unitRows, minRows, outputAxis, outputShape } = tiling;
  const whole = weights.find(({ name }) => name === tiling.weight);
  const bias = weights.find(({ name }) => name === tiling.bias);
  const size = outputShape.at(outputAxis);
  const isSound =
    whole !== undefined &&
    whole.dims[0] === rows &&
    rows * rowBytes === whole.byteLength &&
    whole.fileOffset % DIRECT_ALIGNMENT === 0 &&
    (unitRows * rowBytes) % DIRECT_ALIGNMENT === 0 &&
    minRows <= unitRows &&
    (bias === undefined || bias.dims.at(-1) === rows) &&
    // Empty where the compiler could not infer it.
    (outputShape.length === 0 || (outputAxis >= -outputShape.length && (size === rows || size === -1)));
  return isSound ? [] : [`its tiling does not fit ${tiling.weight}`];
}

function gatherFaults({ gather, weights }: LayerRecord): readonly string[] {
  if (!gather) return [];
  const table = weights.find(({ name }) => name === gather.weight);
  const isSound = table !== undefined && gather.rows * gather.rowBytes <= table.byteLength;
  return isSound ? [] : [`its rows do not fit ${gather.weight}`];
}
