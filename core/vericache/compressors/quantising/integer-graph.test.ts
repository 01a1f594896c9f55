import { describe, expect, it } from 'vitest';
import { DataType, encodeModel } from '../../../onnx';
import { allocateNativeMemory, BoundRun, OrtSession, tensorOver, type OrtTensor } from '../../../ort';
import { openRuntime } from '../../../ort/test-support/open-runtime';
import { IntegerGraph } from './integer-graph';

const runtime = openRuntime(2);

function memoryOf(
  dtype: 'uint8' | 'float32',
  dims: readonly number[],
): { tensor: OrtTensor; bytes: Uint8Array } {
  const byteLength = dims.reduce((product, dim) => product * dim, dtype === 'uint8' ? 1 : 4);
  const memory = allocateNativeMemory(byteLength);
  return {
    tensor: tensorOver(runtime.environment, dtype, dims, memory.address, byteLength, memory),
    bytes: memory.bytes.subarray(0, byteLength),
  };
}

/** Runs a graph of one input and one float output of the same number of elements. */
function run(build: (graph: IntegerGraph, input: string) => string, input: Uint8Array): Float32Array {
  const graph = new IntegerGraph({ heads: 2, kvHeads: 1, headDim: 8 });
  graph.output('out', build(graph, graph.input('in', ['n'], DataType.uint8)), ['n']);
  const session = OrtSession.create(runtime.environment, encodeModel(graph.model('test')), {
    optimization: 'all',
  });
  const from = memoryOf('uint8', [input.length]);
  const to = memoryOf('float32', [input.length]);
  from.bytes.set(input);
  new BoundRun(session, new Map([['in', from.tensor]]), new Map([['out', to.tensor]])).run(runtime.options);
  const found = new Float32Array(to.bytes.slice().buffer);
  for (const tensor of [from.tensor, to.tensor]) tensor.release();
  session.release();
  return found;
}

describe('a quantised sum with nothing', () => {
  // Lengths that leave the vectors of every processor a rest.
  it.each([1, 7, 31, 255, 256, 70_001])('shifts every one of %d bytes right', (length) => {
    const bytes = Uint8Array.from({ length }, (_, index) => (index * 37) % 256);
    for (const bits of [0, 1, 2, 3, 4, 5, 6, 7]) {
      const found = run((graph, input) => graph.toFloat(graph.shiftedRight(input, bits)), bytes);
      expect([...found]).toEqual([...bytes].map((byte) => byte >> bits));
    }
  });
});
