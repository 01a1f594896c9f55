import * as stock from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PIPELINE_MODES, SluiceError } from '../contract';
import { DataType, makeValueInfo, writeModel, type OnnxModel, type OnnxNode } from '../onnx';
import { minimumBudget } from './plan';
import { BenchTop, infer, type TestStore } from './test-support/bench-top';
import { GraphMaker, int } from './test-support/graph-maker';
import { twoProducts } from './test-support/networks';
import { localFunction, ODD_GRAPHS } from './test-support/odd-graphs';
import { ODD_SUBGRAPHS } from './test-support/odd-subgraphs';
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

  it.each(Object.keys(ODD_SUBGRAPHS))('%s', async (name) => {
    await expectRuns(await bench.compile(ODD_SUBGRAPHS[name]!()));
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

  it.each([
    [ODD_GRAPHS['heavy weights captured by the branches of an If and by a Loop']!, 3],
    [ODD_SUBGRAPHS['heavy Constant nodes in the branches of an If']!, 2],
    [ODD_SUBGRAPHS['branches that give out heavy constants, a node and an initializer']!, 2],
  ])('streams the weights of subgraphs', async (build, count) => {
    const { manifest } = await bench.compile(build());
    const weights = manifest.layers.flatMap((layer) => layer.weights);
    expect(weights.filter((weight) => weight.byteLength === 256 * 256 * 4)).toHaveLength(count);
  });
});

function stringInput(): OnnxModel {
  const g = new GraphMaker(1);
  g.inputs.push(makeValueInfo('words', DataType.string, [2]));
  g.node('Identity', ['words'], {}, 'same');
  g.output('same', [2], DataType.string);
  return g.model();
}

function relu(versions: Parameters<GraphMaker['model']>[0]): OnnxModel {
  const g = new GraphMaker(1);
  g.node('Relu', [g.input('x', [1])], {}, 'y');
  g.output('y', [1]);
  return g.model(versions);
}

function batchwiseGru(): OnnxModel {
  const g = new GraphMaker(1);
  const weights = [g.weight([1, 96, 16], 16), g.weight([1, 96, 32], 32)];
  g.node('GRU', [g.input('x', [2, 5, 16]), ...weights], { hidden_size: int(32), layout: int(1) }, 'y');
  g.output('y', undefined);
  return g.model();
}

function shiftOfUint16(): OnnxModel {
  const g = new GraphMaker(1);
  const x = g.input('x', [4], DataType.uint16);
  g.node('BitShift', [x, x], { direction: 'LEFT' }, 'y');
  g.output('y', [4], DataType.uint16);
  return g.model();
}

/** SparseTensorProto { values (1): one FLOAT at flat index 0; indices (2); dims (3) 4 } as the attribute's bytes. */
function sparseConstant(): OnnxModel {
  const g = new GraphMaker(1);
  const values = Uint8Array.of(8, 1, 16, 1, 34, 4, 0, 0, 128, 63);
  const indices = Uint8Array.of(8, 1, 16, 7, 58, 1, 0);
  const sparse = Uint8Array.of(10, values.length, ...values, 18, indices.length, ...indices, 24, 4);
  const name = Buffer.from('sparse_value');
  // AttributeProto { name (1), sparse_tensor (22), type (20) 11 }
  const bytes = Uint8Array.of(10, name.length, ...name, 0xb2, 1, sparse.length, ...sparse, 0xa0, 1, 11);
  const attributes: OnnxNode['attributes'] = [{ name: 'sparse_value', type: 'raw', value: bytes }];
  g.nodes.push({ name: '', opType: 'Constant', domain: '', inputs: [], outputs: ['w'], attributes });
  g.node('Add', [g.input('x', [4]), 'w'], {}, 'y');
  g.output('y', [4]);
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
    ['string tensors as input', stringInput, /Model input words has elements of type string/],
    ['a sequence as output', sequenceOutput, /Model output parts is not a tensor/],
    ['a sparse constant', sparseConstant, /'w' is a sparse constant; export the model with dense weights/],
    ['an opset that is not out yet', () => relu({ opset: 99 }), /newer ONNX.*Opset 99/s],
    ['an IR version that is not out yet', () => relu({ irVersion: 99 }), /newer ONNX.*IR version: 99/s],
    [
      'attributes that its kernel does not serve',
      batchwiseGru,
      /in a way that this ONNX Runtime does not support/,
    ],
    [
      'an operator without a kernel for a type',
      shiftOfUint16,
      /operator that this ONNX Runtime does not have/,
    ],
  ])('%s', async (_, build, message) => {
    const failure = await bench.compile(build()).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(SluiceError);
    expect(failure).toMatchObject({ code: 'unsupported' });
    expect((failure as SluiceError).message).toMatch(message);
  });
});
