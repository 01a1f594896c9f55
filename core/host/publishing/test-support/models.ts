import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { DataType } from '../../../onnx';
import type { OipTensor, Publication } from '../../../serving';
import { sha256Hex } from '../../../storage';
import { LayerBuilder, writeZooModel, zooNetwork } from '../../../zoo';
import type { ZooNetwork } from '../../../zoo';

/** Takes and gives what `tiny-mlp` does, and fails where an input is 4 or more. */
const FRAGILE: ZooNetwork = {
  id: 'fragile',
  title: 'Looks its inputs up in a table of four rows',
  source: 'made for tests',
  parameters: 0,
  build(seed) {
    const b = new LayerBuilder({ name: 'fragile', seed });
    const input = b.input('input', [1, 64]);
    const ids = b.node({
      op: 'Cast',
      inputs: [input],
      shape: [1, 64],
      dtype: DataType.int64,
      attributes: [{ name: 'to', type: 'int', value: BigInt(DataType.int64) }],
    });
    const rows = b.embedding(b.weight('table', [4, 1], { mean: 0, std: 1 }), ids, 'table');
    b.output('output', b.softmax(b.linear(b.flatten(rows), 'fc', 10)));
    return b.model();
  },
};

/** Writes a network of one input [1, 64] and one output [1, 10]. */
export async function writeTestModel(
  folder: string,
  seed: number,
  kind: 'mlp' | 'fragile' = 'mlp',
): Promise<string> {
  const path = join(folder, `${kind}-${seed}.onnx`);
  const network = kind === 'mlp' ? zooNetwork('tiny-mlp') : FRAGILE;
  await writeZooModel(network, path, { seed, weights: 'inline' });
  return path;
}

/** All of a publication but where it goes. */
export async function fileOf(path: string): Promise<Pick<Publication, 'path' | 'fileBytes' | 'sha256'>> {
  const { size } = await stat(path);
  return { path, fileBytes: size, sha256: sha256Hex(await readFile(path)) };
}

/** All of whose values are one. */
export function inputOf(value: number): readonly OipTensor[] {
  const values = new Float32Array(64).fill(value);
  return [{ name: 'input', datatype: 'FP32', shape: [1, 64], bytes: new Uint8Array(values.buffer) }];
}
