import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, describe, expect, it } from 'vitest';
import { readModel } from '../onnx';
import { MOBILENETS, QUANTIZED_MOBILENETS } from './mobilenet';
import { writeZooModel } from './write-zoo-model';

const folder = mkdtempSync(join(tmpdir(), 'sluice-int8-'));
afterAll(() => rmSync(folder, { recursive: true }));

const pixels = new Tensor(
  'float32',
  Float32Array.from({ length: 3 * 224 * 224 }, (_, i) => 1.4 * Math.sin(i * 12.9898 + i * i * 0.37)),
  [1, 3, 224, 224],
);

async function predictions(path: string, level: 'disabled' | 'all', optimizedPath?: string) {
  const session = await InferenceSession.create(path, {
    graphOptimizationLevel: level,
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
    ...(optimizedPath !== undefined && { optimizedModelFilePath: optimizedPath }),
  });
  const { predictions: output } = await session.run({ input: pixels });
  await session.release();
  return output?.data as Float32Array;
}

describe('quantised MobileNetV1', () => {
  it.each(QUANTIZED_MOBILENETS.map((network) => [network.id, network] as const))(
    '%s computes in int8 and agrees with its operators run one by one in float',
    async (id, network) => {
      const path = join(folder, `${id}.onnx`);
      const optimized = join(folder, `${id}.optimized.onnx`);
      await writeZooModel(network, path, { seed: 1, weights: 'inline' });
      const spelledOut = await predictions(path, 'disabled');
      const fused = await predictions(path, 'all', optimized);
      const operators = (await readModel(optimized)).graph.nodes.map(({ opType }) => opType);
      expect(operators.filter((op) => op === 'QLinearConv').length).toBe(27);
      const largest = Math.max(...spelledOut);
      fused.forEach((value, index) => {
        expect(Math.abs(value - (spelledOut[index] ?? 0))).toBeLessThan(0.1 * largest);
      });
    },
  );

  it('is about a quarter of the float network on disk', async () => {
    const [float] = MOBILENETS;
    const [int8] = QUANTIZED_MOBILENETS;
    if (!float || !int8) throw new Error('no networks');
    const bytes: number[] = [];
    for (const network of [float, int8]) {
      const path = join(folder, `${network.id}.size.onnx`);
      await writeZooModel(network, path, { seed: 1, weights: 'inline' });
      bytes.push(statSync(path).size);
    }
    expect((bytes[1] ?? 0) / (bytes[0] ?? 1)).toBeLessThan(0.3);
  });
});
