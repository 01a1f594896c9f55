import * as stock from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PIPELINE_MODES, SluiceError } from '../contract';
import { DataType, makeValueInfo, writeModel, type OnnxModel } from '../onnx';
import { minimumBudget } from './plan';
import { BenchTop, infer, type TestStore } from './test-support/bench-top';
import { GraphMaker, int } from './test-support/graph-maker';
import { twoProducts } from './test-support/networks';
import { localFunction, ODD_GRAPHS } from './test-support/odd-graphs';
import { referenceOutputs } from './test-support/reference';
import { expectClose, expectSameBits, inputsFor } from './test-support/tensors';

let bench: BenchTop;
beforeAll(async () => {
  bench = await BenchTop.open();
});
afterAll(() => bench.close());

/** Three runs in every mode at its least budget: close to stock, the same bits everywhere. */
async function expectRuns(store: TestStore, inputs = inputsFor(store.manifest.inputs, 5)): Promise<void> {
  const expected = await referenceOutputs(stock, store.sourcePath, inputs);
  const resident = await bench.load(store, 'resident');
  const reference = await infer(resident, inputs);
  await resident.close();
  expectClose(reference, expected);
  for (const mode of PIPELINE_MODES) {
    const model = await bench.load(store, mode, minimumBudget(store.manifest, mode));
    for (let round = 0; round < 3; round += 1) expectSameBits(await infer(model, inputs), reference);
    await model.close();
  }
}

describe('graphs at the edge of what ONNX allows', () => {
  it.each(Object.keys(ODD_GRAPHS))('%s', async (name) => {
    await expectRuns(await bench.compile(ODD_GRAPHS[name]!()));
  });

  it('a function that the model brings along', async () => {
    await expectRuns(await bench.compile(localFunction()));
  });

  it('weights in a file beside the model', async () => {
    const path = `${bench.folder}/external.onnx`;
    await writeModel(twoProducts(2), path, { externalData: { file: 'external.data' } });
    await expectRuns(await bench.compileFile(path));
  });

  it('data that change a shape from run to run', async () => {
    const store = await bench.compile(ODD_GRAPHS['a shape that depends on the data']!());
    const model = await bench.load(store, 'async', minimumBudget(store.manifest, 'async'));
    for (const seed of [1, 2, 3, 1, 2, 3]) {
      const inputs = inputsFor(store.manifest.inputs, seed);
      expectClose(await infer(model, inputs), await referenceOutputs(stock, store.sourcePath, inputs));
    }
    await model.close();
  });

  it('streams the weights that subgraphs capture', async () => {
    const name = 'heavy weights captured by the branches of an If and by a Loop';
    const { manifest } = await bench.compile(ODD_GRAPHS[name]!());
    const weights = manifest.layers.flatMap((layer) => layer.weights);
    expect(weights.filter((weight) => weight.byteLength === 256 * 256 * 4)).toHaveLength(3);
  });
});

/** A heavy layer needs a part of the sequence, and what is left of it is needed after that layer. */
function sequenceAcrossLayers(): OnnxModel {
  const g = new GraphMaker(1);
  const product = g.node('MatMul', [g.input('x', [1, 256]), g.weight([256, 256], 256)]);
  const parts = g.node('SplitToSequence', [product, g.ints([128], [])], { axis: int(1) });
  const part = g.node('SequenceAt', [parts, g.ints([0], [])]);
  const sum = g.node('ReduceSum', [g.node('MatMul', [part, g.weight([128, 512], 128)])], {
    keepdims: int(0),
  });
  const zero = g.tensor(DataType.float32, [], new Float32Array(1));
  const which = g.node('Cast', [g.node('Greater', [sum, zero])], { to: int(DataType.int64) });
  g.node('SequenceAt', [parts, which], {}, 'y');
  g.output('y', [1, 128]);
  return g.model();
}

function stringInput(): OnnxModel {
  const g = new GraphMaker(1);
  g.inputs.push(makeValueInfo('words', DataType.string, [2]));
  g.node('Identity', ['words'], {}, 'same');
  g.output('same', [2], DataType.string);
  return g.model();
}

function sequenceOutput(): OnnxModel {
  const g = new GraphMaker(1);
  g.node('SplitToSequence', [g.input('x', [1, 4]), g.ints([2], [])], { axis: int(1) }, 'parts');
  // FLOAT tensors in a sequence: TypeProto.sequence_type (4) { elem_type (1) { tensor_type (1) { elem_type (1) 1 } } }
  g.outputs.push({ name: 'parts', rawType: Uint8Array.of(34, 6, 10, 4, 10, 2, 8, 1) });
  return g.model();
}

describe('what is refused, with the reason', () => {
  it.each([
    ['a sequence that crosses layers', sequenceAcrossLayers, /crosses a layer border but is not a tensor/],
    ['string tensors', stringInput, /string/],
    ['a sequence as output', sequenceOutput, /parts is not a tensor|not a tensor/],
  ])('%s', async (_, build, message) => {
    const failure = await bench.compile(build()).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(SluiceError);
    expect(failure).toMatchObject({ code: 'unsupported' });
    expect((failure as SluiceError).message).toMatch(message);
  });
});
