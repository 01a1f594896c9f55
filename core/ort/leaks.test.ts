import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { DataType, makeNode, makeTensor, makeValueInfo } from '../onnx';
import type { OrtTensor } from './index';
import { addressOf, allocateNativeMemory, BoundRun, OrtSession, RunOptions, tensorOver } from './index';
import { openRuntime } from './test-support/open-runtime';
import { modelOf } from './test-support/small-graphs';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const SIDE = 64;
const runtime = openRuntime(1);

/** y = Relu(x w) over [64, 64], w [64, 64] a graph input like every streamed weight. */
const product = (): Uint8Array =>
  modelOf({
    nodes: [
      makeNode('MatMul', ['x', 'w'], ['p']),
      makeNode('Add', ['p', 'b'], ['q']),
      makeNode('Relu', ['q'], ['y']),
    ],
    inputs: ['x', 'w'].map((name) => makeValueInfo(name, DataType.float32, [SIDE, SIDE])),
    outputs: [makeValueInfo('y', DataType.float32, [SIDE, SIDE])],
    initializers: [makeTensor('b', DataType.float32, [SIDE], new Float32Array(SIDE))],
  });

function tensor(): OrtTensor {
  const array = new Float32Array(new ArrayBuffer(4 * SIDE * SIDE)).fill(0.5);
  return tensorOver(runtime.environment, 'float32', [SIDE, SIDE], addressOf(array), array.byteLength, array);
}

/** Growth of the process over the second half of some rounds, bytes; the first half fills pools and caches. */
function growth(rounds: number, work: () => void): number {
  for (let round = 0; round < rounds / 2; round += 1) work();
  collectGarbage();
  const before = process.memoryUsage.rss();
  for (let round = 0; round < rounds / 2; round += 1) work();
  collectGarbage();
  return process.memoryUsage.rss() - before;
}

describe('nothing leaks', () => {
  it('over 10,000 runs of a binding', () => {
    const session = OrtSession.create(runtime.environment, product(), { optimization: 'none' });
    const [x, w, y] = [tensor(), tensor(), tensor()];
    const run = new BoundRun(
      session,
      new Map([
        ['x', x],
        ['w', w],
      ]),
      new Map([['y', y]]),
    );
    // One leaked 16 KiB output a run would be 80 MB.
    expect(growth(10_000, () => run.run(runtime.options))).toBeLessThan(8 << 20);
    for (const item of [x, w, y]) item.release();
    session.release();
  });

  it('over 10,000 outputs allocated by ONNX Runtime and handed over', () => {
    const session = OrtSession.create(runtime.environment, product(), {
      optimization: 'none',
      sharedArena: true,
    });
    const [x, w] = [tensor(), tensor()];
    const run = new BoundRun(
      session,
      new Map([
        ['x', x],
        ['w', w],
      ]),
      new Map([['y', undefined]]),
    );
    const turn = (): void => {
      run.run(runtime.options);
      const output = run.takeOutput(0);
      output?.shape();
      output?.release();
    };
    expect(growth(10_000, turn)).toBeLessThan(8 << 20);
    for (const item of [x, w]) item.release();
    session.release();
  });

  it('over hundreds of sessions, tensors and run options', () => {
    const bytes = product();
    const turn = (): void => {
      const session = OrtSession.create(runtime.environment, bytes, { optimization: 'all' });
      const own = RunOptions.create(runtime.environment);
      const [x, w, y] = [tensor(), tensor(), tensor()];
      new BoundRun(
        session,
        new Map([
          ['x', x],
          ['w', w],
        ]),
        new Map([['y', y]]),
      ).run(own);
      for (const item of [x, w, y, own, session]) item.release();
    };
    // A leaked session is some 100 KiB: 40 MB over the half that counts.
    expect(growth(800, turn)).toBeLessThan(12 << 20);
  });

  it('over thousands of failed calls', () => {
    const session = OrtSession.create(runtime.environment, product(), { optimization: 'none' });
    const x = tensor();
    const run = new BoundRun(session, new Map([['x', x]]), new Map([['y', undefined]]));
    expect(growth(4000, () => expect(() => run.run(runtime.options)).toThrow())).toBeLessThan(12 << 20);
    x.release();
    session.release();
  });

  it('over blocks of memory, once nothing refers to them', async () => {
    const turn = async (): Promise<void> => {
      allocateNativeMemory(8 << 20).bytes.fill(1);
      collectGarbage();
      await new Promise((resolve) => setImmediate(resolve));
    };
    for (let round = 0; round < 10; round += 1) await turn();
    const before = process.memoryUsage.rss();
    for (let round = 0; round < 30; round += 1) await turn();
    expect(process.memoryUsage.rss() - before).toBeLessThan(64 << 20);
  });
});

describe('the garbage collector', () => {
  it('leaves alone what a binding needs, names and memory included', async () => {
    const session = OrtSession.create(runtime.environment, product(), { optimization: 'none' });
    const held: { run: BoundRun; y: Float32Array }[] = [];
    for (let index = 0; index < 20; index += 1) {
      const y = new Float32Array(new ArrayBuffer(4 * SIDE * SIDE));
      const target = tensorOver(runtime.environment, 'float32', [SIDE, SIDE], addressOf(y), y.byteLength, y);
      const inputs = new Map([
        ['x', overBlock(index)],
        ['w', tensor()],
      ]);
      held.push({ run: new BoundRun(session, inputs, new Map([['y', target]])), y });
    }
    for (let round = 0; round < 3; round += 1) {
      collectGarbage();
      await new Promise((resolve) => setImmediate(resolve));
      // Fresh garbage takes the place of whatever was freed too early.
      Array.from({ length: 50 }, () => new Float32Array(SIDE * SIDE).fill(99));
    }
    held.forEach(({ run, y }, index) => {
      run.run(runtime.options);
      expect(y[0]).toBe(index * 0.5 * SIDE);
    });
    await Promise.all(held.map(({ run }) => run.runAsync(runtime.options)));
  });

  /** Only the tensor knows the block. */
  function overBlock(value: number): OrtTensor {
    const memory = allocateNativeMemory(4 * SIDE * SIDE);
    new Float32Array(memory.memory.buffer, 0, SIDE * SIDE).fill(value);
    return tensorOver(runtime.environment, 'float32', [SIDE, SIDE], memory.address, 4 * SIDE * SIDE, memory);
  }
});
