import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SluiceError } from '../contract';
import { DataType, encodeModel, makeNode, makeTensor, makeValueInfo, type OnnxGraph } from '../onnx';
import type { OrtTensor } from './index';
import {
  addressOf,
  allocateNativeMemory,
  LargePageMemory,
  BoundRun,
  copyFromNative,
  OrtEnvironment,
  OrtSession,
  releasePages,
  RunOptions,
  runtimeLibraryPath,
  tensorOver,
} from './index';

let environment: OrtEnvironment;
let options: RunOptions;
beforeAll(() => {
  environment = OrtEnvironment.open({ threads: 2 });
  options = RunOptions.create(environment);
});
afterAll(() => {
  options.release();
  environment.close();
});

function model(graph: Partial<OnnxGraph>): Uint8Array {
  return encodeModel({
    irVersion: 8,
    producerName: 'test',
    opsets: [{ domain: '', version: 17 }],
    graph: { name: 'g', nodes: [], inputs: [], outputs: [], initializers: [], valueInfo: [], ...graph },
    functions: [],
    metadata: new Map(),
  });
}

/** y = x + 1 over [2, 3]. */
function addOne(): Uint8Array {
  return model({
    nodes: [makeNode('Add', ['x', 'one'], ['y'])],
    inputs: [makeValueInfo('x', DataType.float32, [2, 3])],
    outputs: [makeValueInfo('y', DataType.float32, [2, 3])],
    initializers: [makeTensor('one', DataType.float32, [], Float32Array.of(1))],
  });
}

/** Turns round for ever: only a stop ends it. */
function endless(): Uint8Array {
  const body: OnnxGraph = {
    name: 'body',
    nodes: [
      makeNode('Identity', ['going'], ['still']),
      makeNode('MatMul', ['state', 'state'], ['product']),
      makeNode('Tanh', ['product'], ['next']),
    ],
    inputs: [
      makeValueInfo('turn', DataType.int64, []),
      makeValueInfo('going', DataType.bool, []),
      makeValueInfo('state', DataType.float32, [64, 64]),
    ],
    outputs: [makeValueInfo('still', DataType.bool, []), makeValueInfo('next', DataType.float32, [64, 64])],
    initializers: [],
    valueInfo: [],
  };
  return model({
    nodes: [makeNode('Loop', ['', 'yes', 'x'], ['y'], { body })],
    inputs: [makeValueInfo('x', DataType.float32, [64, 64])],
    outputs: [makeValueInfo('y', DataType.float32, [64, 64])],
    initializers: [makeTensor('yes', DataType.bool, [], Uint8Array.of(1))],
  });
}

const plain = { optimization: 'none' } as const;
const create = (bytes: Uint8Array): OrtSession => OrtSession.create(environment, bytes, plain);

function floats(
  dims: readonly number[],
  values: readonly number[],
): { tensor: OrtTensor; array: Float32Array } {
  const array = new Float32Array(new ArrayBuffer(4 * values.length));
  array.set(values);
  const tensor = tensorOver(environment, 'float32', dims, addressOf(array), array.byteLength, array);
  return { tensor, array };
}

function failureOf(work: () => unknown): SluiceError {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(SluiceError);
    return error as SluiceError;
  }
  throw new Error('It was expected to fail.');
}

describe('OrtEnvironment', () => {
  it('tells the version and the providers of its library', () => {
    expect(environment.version).toMatch(/^1\.\d+\.\d+/);
    expect(environment.availableProviders()).toContain('CPUExecutionProvider');
  });

  it('opens more than once in a process', () => {
    const second = OrtEnvironment.open({ threads: 1 });
    const session = OrtSession.create(second, addOne(), { ...plain, sharedArena: true });
    session.release();
    second.close();
    create(addOne()).release();
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses %s threads', (threads) => {
    expect(failureOf(() => OrtEnvironment.open({ threads }))).toMatchObject({ code: 'bad-input' });
  });

  it('says where it looked for a library that is not there', () => {
    const failure = failureOf(() => runtimeLibraryPath('/nowhere/libonnxruntime.so'));
    expect(failure.code).toBe('unsupported');
    expect(failure.message).toContain('/nowhere/libonnxruntime.so');
    expect(failure.message).toContain('SLUICE_ORT_LIBRARY');
  });
});

describe('OrtSession', () => {
  it('reads names, element types and shapes, free dimensions as -1', () => {
    const types = [
      DataType.float32,
      DataType.int64,
      DataType.uint8,
      DataType.float16,
      DataType.bool,
      DataType.float64,
    ];
    const session = create(
      model({
        nodes: types.map((_, at) => makeNode('Identity', [`in${at}`], [`out${at}`])),
        inputs: types.map((dtype, at) => makeValueInfo(`in${at}`, dtype, ['batch', 3, at])),
        outputs: types.map((dtype, at) => makeValueInfo(`out${at}`, dtype, ['batch', 3, at])),
      }),
    );
    const names = ['float32', 'int64', 'uint8', 'float16', 'bool', 'float64'];
    expect(session.inputs).toEqual(
      names.map((dtype, at) => ({ name: `in${at}`, dtype, shape: [-1, 3, at] })),
    );
    expect(session.outputs.map((output) => output.name)).toEqual(names.map((_, at) => `out${at}`));
    session.release();
  });

  it('reads scalars and values that are not tensors', () => {
    const session = create(
      model({
        nodes: [
          makeNode('SplitToSequence', ['x'], ['parts']),
          makeNode('ReduceSum', ['x'], ['sum'], { keepdims: 0n }),
        ],
        inputs: [makeValueInfo('x', DataType.float32, [4])],
        outputs: [
          { name: 'parts', rawType: Uint8Array.of(34, 6, 10, 4, 10, 2, 8, 1) },
          makeValueInfo('sum', DataType.float32, []),
        ],
      }),
    );
    expect(session.outputs).toEqual([
      { name: 'parts', dtype: 'not-a-tensor', shape: [] },
      { name: 'sum', dtype: 'float32', shape: [] },
    ]);
    session.release();
  });

  it.each([
    [
      'bytes that are no model',
      () => create(Uint8Array.from({ length: 100 }, (_, at) => (at * 7) % 256)),
      /./,
    ],
    ['no bytes at all', () => create(new Uint8Array(0)), /./],
    ['a model that was cut off', () => create(addOne().subarray(0, 60)), /./],
    [
      'an unknown operator',
      () =>
        create(
          model({
            nodes: [makeNode('Frobnicate', [], ['y'])],
            outputs: [makeValueInfo('y', DataType.float32)],
          }),
        ),
      /Frobnicate/,
    ],
    [
      'a file that is not there',
      () => OrtSession.create(environment, '/nowhere/model.onnx', plain),
      /nowhere/,
    ],
  ])('refuses %s', (_, work, message) => {
    const failure = failureOf(work);
    expect(failure.code).toBe('runtime');
    expect(failure.message).toMatch(message);
  });

  it('names the providers there are when asked for another', () => {
    const failure = failureOf(() =>
      OrtSession.create(environment, addOne(), { ...plain, provider: 'abacus' }),
    );
    expect(failure).toMatchObject({ code: 'unsupported', details: { provider: 'abacus' } });
    expect(failure.message).toContain("'abacus'");
    expect(failure.message).toContain('CPUExecutionProvider');
  });

  it('loads a file, with a path that is not ASCII', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-ort-'));
    const path = join(folder, 'modèle ü 模型.onnx');
    writeFileSync(path, addOne());
    OrtSession.create(environment, path, plain).release();
    rmSync(folder, { recursive: true });
  });
});

describe('BoundRun', () => {
  it('runs in place, again and again, and on another thread', async () => {
    const session = create(addOne());
    const x = floats([2, 3], [1, 2, 3, 4, 5, 6]);
    const y = floats([2, 3], [0, 0, 0, 0, 0, 0]);
    const run = new BoundRun(session, new Map([['x', x.tensor]]), new Map([['y', y.tensor]]));
    run.run(options);
    expect([...y.array]).toEqual([2, 3, 4, 5, 6, 7]);
    x.array[0] = 10;
    await run.runAsync(options);
    expect(y.array[0]).toBe(11);
    for (const { tensor } of [x, y]) tensor.release();
    session.release();
  });

  it('hands over outputs that ONNX Runtime allocated', () => {
    const session = create(addOne());
    const x = floats([2, 3], [1, 2, 3, 4, 5, 6]);
    const run = new BoundRun(session, new Map([['x', x.tensor]]), new Map([['y', undefined]]));
    run.run(options);
    const output = run.takeOutput(0);
    expect(output?.shape()).toEqual({ dtype: DataType.float32, dims: [2, 3] });
    const bytes = copyFromNative(output!.dataAddress(), 24);
    expect([...new Float32Array(bytes.buffer)]).toEqual([2, 3, 4, 5, 6, 7]);
    expect(run.takeOutput(0), 'handed over once').toBeUndefined();
    output?.release();
    output?.release();
    x.tensor.release();
    session.release();
  });

  it.each([
    ['an input of another name', 'nobody', [2, 3], /nobody/],
    ['an input of another shape', 'x', [3, 2], /Got: 3 Expected: 2/],
    ['an input of another rank', 'x', [6], /rank/i],
  ])('tells of %s', (_, name, dims, message) => {
    const session = create(addOne());
    const x = floats(dims, [1, 2, 3, 4, 5, 6]);
    const run = new BoundRun(session, new Map([[name, x.tensor]]), new Map([['y', undefined]]));
    const failure = failureOf(() => run.run(options));
    expect(failure.code).toBe('runtime');
    expect(failure.message).toMatch(message);
    x.tensor.release();
    session.release();
  });

  it('tells of an input of another type', async () => {
    const session = create(addOne());
    const bytes = new Uint8Array(new ArrayBuffer(48));
    const x = tensorOver(environment, 'int64', [2, 3], addressOf(bytes), 48, bytes);
    const run = new BoundRun(session, new Map([['x', x]]), new Map([['y', undefined]]));
    expect(failureOf(() => run.run(options)).message).toMatch(/int64.*float/);
    await expect(run.runAsync(options)).rejects.toMatchObject({ code: 'runtime' });
    x.release();
    session.release();
  });

  it('stops in the middle of a run, from this thread and from another', async () => {
    const session = create(endless());
    const x = floats(
      [64, 64],
      Array.from({ length: 64 * 64 }, () => 0.01),
    );
    const own = RunOptions.create(environment);
    const run = new BoundRun(session, new Map([['x', x.tensor]]), new Map([['y', undefined]]));
    const stopped = run.runAsync(own);
    setTimeout(() => own.terminate(), 50);
    await expect(stopped).rejects.toThrow(/terminate/i);

    own.reset();
    const stopper = new Worker(STOPPER, {
      eval: true,
      workerData: { library: runtimeLibraryPath(), koffi: require.resolve('koffi'), pointer: own.pointer },
    });
    expect(failureOf(() => run.run(own)).message).toMatch(/terminate/i);
    await stopper.terminate();
    own.release();
    x.tensor.release();
    session.release();
  });
});

/** What `terminateRun` does, for a thread that is not compiled from source: RunOptionsSetTerminate is entry 46. */
const STOPPER = `
  const { workerData } = require('node:worker_threads');
  const koffi = require(workerData.koffi);
  const base = koffi.load(workerData.library).func('void* OrtGetApiBase()')();
  const [getApi] = koffi.decode(base, 'void*', 2);
  const table = koffi.call(getApi, koffi.proto('void* (uint32_t version)'), 17);
  const stop = koffi.decode(koffi.decode(table, 'void*', 47)[46], koffi.proto('void* (void*)'));
  setTimeout(() => stop(workerData.pointer), 50);
`;

describe('memory', () => {
  it('is page-aligned, shared and seen by ONNX Runtime at its address', () => {
    const memory = allocateNativeMemory(100);
    expect(memory.bytes.byteLength).toBe(65_536);
    expect(memory.address % 4096n).toBe(0n);
    const view = new Float32Array(memory.memory.buffer, 4096, 6);
    view.set([1, 2, 3, 4, 5, 6]);
    const tensor = tensorOver(environment, 'float32', [2, 3], memory.address + 4096n, 24, memory);
    const session = create(addOne());
    new BoundRun(session, new Map([['x', tensor]]), new Map([['y', tensor]])).run(options);
    expect([...view]).toEqual([2, 3, 4, 5, 6, 7]);
    tensor.release();
    session.release();
  });

  it('gives its pages back', () => {
    const memory = allocateNativeMemory(1 << 20);
    memory.bytes.fill(7);
    if (releasePages(memory)) expect(memory.bytes.every((byte) => byte === 0)).toBe(true);
  });

  it('begins with a large page, and grows a second block behind the first in place', () => {
    const large = LargePageMemory.allocate(3 << 16);
    expect(large.block.address % (2n << 20n)).toBe(0n);
    expect(large.block.bytes.byteLength).toBe(3 << 16);
    expect(large.restAndIdleBytes, 'the page is charged to what shares it').toBe((2 << 20) - (3 << 16));
    large.block.bytes.fill(7);
    const rest = large.rest(1000);
    expect(rest.address).toBe(large.block.address + BigInt(3 << 16));
    expect(large.restAndIdleBytes).toBe((2 << 20) - (3 << 16));
    rest.bytes.fill(8);
    const longer = large.rest(5 << 20);
    expect(longer.address).toBe(rest.address);
    expect(longer.bytes.byteLength).toBe(5 << 20);
    expect(large.restAndIdleBytes).toBe((6 << 20) - (3 << 16));
    longer.bytes.fill(9, 1000);
    expect(large.block.bytes.every((byte) => byte === 7)).toBe(true);
    expect(
      rest.bytes.every((byte) => byte === 8),
      'the shorter view shows the same bytes',
    ).toBe(true);
  });

  it('refuses blocks and tensors that can not be', () => {
    expect(failureOf(() => LargePageMemory.allocate(2 ** 32)).code).toBe('unsupported');
    expect(failureOf(() => allocateNativeMemory(2 ** 33)).code).toBe('unsupported');
    const bytes = new Uint8Array(new ArrayBuffer(8));
    expect(
      failureOf(() => tensorOver(environment, 'float32', [3], addressOf(bytes), 8, bytes)).message,
    ).toContain('[3] takes 12 bytes; its memory has 8');
    expect(failureOf(() => tensorOver(environment, 'float12', [2], addressOf(bytes), 8, bytes)).code).toBe(
      'unsupported',
    );
  });
});
