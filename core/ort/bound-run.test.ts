import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { thrownBy } from '../contract/test-support/failure-of';
import { DataType, makeNode, makeTensor, makeValueInfo, type OnnxGraph } from '../onnx';
import {
  addressOf,
  BoundRun,
  copyFromNative,
  OrtSession,
  RunOptions,
  runtimeLibraryPath,
  tensorOver,
} from './index';
import { openRuntime } from './test-support/open-runtime';
import { addOne, floatTensor, modelOf } from './test-support/small-graphs';

const runtime = openRuntime(2);

const plain = { optimization: 'none' } as const;
const create = (bytes: Uint8Array): OrtSession => OrtSession.create(runtime.environment, bytes, plain);

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
  return modelOf({
    nodes: [makeNode('Loop', ['', 'yes', 'x'], ['y'], { body })],
    inputs: [makeValueInfo('x', DataType.float32, [64, 64])],
    outputs: [makeValueInfo('y', DataType.float32, [64, 64])],
    initializers: [makeTensor('yes', DataType.bool, [], Uint8Array.of(1))],
  });
}

describe('BoundRun', () => {
  it('runs in place, again and again, and on another thread', async () => {
    const session = create(addOne());
    const x = floatTensor(runtime.environment, [2, 3], [1, 2, 3, 4, 5, 6]);
    const y = floatTensor(runtime.environment, [2, 3], [0, 0, 0, 0, 0, 0]);
    const run = new BoundRun(session, new Map([['x', x.tensor]]), new Map([['y', y.tensor]]));
    run.run(runtime.options);
    expect([...y.array]).toEqual([2, 3, 4, 5, 6, 7]);
    x.array[0] = 10;
    await run.runAsync(runtime.options);
    expect(y.array[0]).toBe(11);
    for (const { tensor } of [x, y]) tensor.release();
    session.release();
  });

  it('hands over outputs that ONNX Runtime allocated', () => {
    const session = create(addOne());
    const x = floatTensor(runtime.environment, [2, 3], [1, 2, 3, 4, 5, 6]);
    const run = new BoundRun(session, new Map([['x', x.tensor]]), new Map([['y', undefined]]));
    run.run(runtime.options);
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
    const x = floatTensor(runtime.environment, dims, [1, 2, 3, 4, 5, 6]);
    const run = new BoundRun(session, new Map([[name, x.tensor]]), new Map([['y', undefined]]));
    const failure = thrownBy(() => run.run(runtime.options));
    expect(failure.code).toBe('runtime');
    expect(failure.message).toMatch(message);
    x.tensor.release();
    session.release();
  });

  it('tells of an input of another type', async () => {
    const session = create(addOne());
    const bytes = new Uint8Array(new ArrayBuffer(48));
    const x = tensorOver(runtime.environment, 'int64', [2, 3], addressOf(bytes), 48, bytes);
    const run = new BoundRun(session, new Map([['x', x]]), new Map([['y', undefined]]));
    expect(thrownBy(() => run.run(runtime.options)).message).toMatch(/int64.*float/);
    await expect(run.runAsync(runtime.options)).rejects.toMatchObject({ code: 'runtime' });
    x.release();
    session.release();
  });

  it('stops in the middle of a run, from this thread and from another', async () => {
    const session = create(endless());
    const x = floatTensor(
      runtime.environment,
      [64, 64],
      Array.from({ length: 64 * 64 }, () => 0.01),
    );
    const own = RunOptions.create(runtime.environment);
    const run = new BoundRun(session, new Map([['x', x.tensor]]), new Map([['y', undefined]]));
    const stopped = run.runAsync(own);
    setTimeout(() => own.terminate(), 50);
    await expect(stopped).rejects.toThrow(/terminate/i);

    own.reset();
    const stopper = new Worker(STOPPER, {
      eval: true,
      workerData: { library: runtimeLibraryPath(), koffi: require.resolve('koffi'), pointer: own.pointer },
    });
    expect(thrownBy(() => run.run(own)).message).toMatch(/terminate/i);
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
