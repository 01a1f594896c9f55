import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as stock from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PIPELINE_MODES } from '../contract';
import type { OnnxModel } from '../onnx';
import { compileInProcess } from './compile-client';
import { nominalInputs } from './nominal-inputs';
import { minimumBudget } from './plan';
import { BenchTop, infer } from './test-support/bench-top';
import { GraphMaker, int, ints } from './test-support/graph-maker';
import { twoProducts } from './test-support/networks';
import { referenceOutputs } from './test-support/reference';
import { expectClose, inputsFor } from './test-support/tensors';

let bench: BenchTop;
beforeAll(async () => {
  bench = await BenchTop.open();
});
afterAll(() => bench.close());

/** Two products; their values, weights and nodes are named by what is asked for. */
function named(name: (of: string) => string): OnnxModel {
  const g = new GraphMaker(1);
  const first = g.node(
    'MatMul',
    [g.input(name('x'), [2, 64]), g.weight([64, 64], 64, name('w'))],
    {},
    name('a'),
  );
  const second = g.node(
    'MatMul',
    [g.node('Relu', [first], {}, name('r')), g.weight([64, 64], 64)],
    {},
    name('b'),
  );
  g.node('Softmax', [second], {}, name('y'));
  g.output(name('y'), [2, 64]);
  for (const [index, node] of g.nodes.entries()) node.name = name(`node${index}`);
  return g.model();
}

const OF_OBJECTS: Readonly<Record<string, string>> = {
  ...{ x: 'constructor', w: 'toString', a: '__proto__', r: 'hasOwnProperty', b: 'valueOf', y: 'prototype' },
};

describe('names that mean something elsewhere are names of tensors here', () => {
  it.each<readonly [string, (of: string) => string]>([
    ['members of every object', (of) => OF_OBJECTS[of] ?? of],
    ['paths', (of) => `../../../${of}`],
    ['control characters', (of) => `${of}\n\u001b[2J`],
    ['very long ones', (of) => of.padEnd(20_000, 'n')],
    ['letters of other scripts', (of) => `\u202e${of}漢字`],
  ])('%s', async (_what, name) => {
    const store = await bench.compile(named(name));
    const inputs = inputsFor(store.manifest.inputs, 5);
    const expected = await referenceOutputs(stock, store.sourcePath, inputs);
    for (const mode of PIPELINE_MODES) {
      const model = await bench.load(store, mode, minimumBudget(store.manifest, mode));
      expectClose(await infer(model, inputs), expected);
      await model.close();
    }
  });
});

/** A tensor of that many elements, made of nothing, added to the input. */
function made(opType: 'ConstantOfShape' | 'Range'): OnnxModel {
  const g = new GraphMaker(1);
  const scalar = (value: number): string => g.ints([value], []);
  const large =
    opType === 'Range'
      ? g.node('Cast', [g.node('Range', [scalar(0), scalar(2 ** 44), scalar(1)])], { to: int(1) })
      : g.node('ConstantOfShape', [g.ints([2 ** 22, 2 ** 22])]);
  g.node('Add', [g.input('x', [1]), g.node('ReduceSum', [large], { keepdims: int(0) })], {}, 'y');
  g.output('y', [1]);
  return g.model();
}

function withoutOutputs(): OnnxModel {
  const g = new GraphMaker(1);
  g.node('Relu', [g.input('x', [1])]);
  return g.model();
}

function padded(by: number): OnnxModel {
  const g = new GraphMaker(1);
  const pads = ints(by, by, by, by);
  g.node('Conv', [g.input('x', [1, 3, 8, 8]), g.weight([4, 3, 3, 3], 4)], { pads }, 'y');
  g.output('y', undefined);
  return g.model();
}

describe('graphs made to hurt', () => {
  it('nothing comes out', async () => {
    const sourcePath = await bench.write(withoutOutputs());
    const said = `${sourcePath} is not a valid ONNX graph: the graph has no outputs; expected at least one`;
    await expect(bench.compileFile(sourcePath)).rejects.toThrow(said);
  });

  it('an input that no memory holds can be imported, and is refused when it is made', async () => {
    const g = new GraphMaker(1);
    g.node('Relu', [g.input('x', [2 ** 31, 2 ** 31])], {}, 'y');
    g.output('y', undefined);
    const { manifest } = await bench.compile(g.model());
    expect(() => nominalInputs(manifest.inputs, 1)).toThrow(
      /Input x of shape \[2147483648, 2147483648\] takes \d+ bytes/,
    );
  });

  it.each<readonly [string, () => OnnxModel, RegExp]>([
    ['a tensor of 2^44 zeros', () => made('ConstantOfShape'), /allocate memory/],
    ['a range of 2^44 numbers', () => made('Range'), /allocate memory/],
    ['padding beyond counting', () => padded(2 ** 30), /Conv/],
  ])('%s ends its run, and no more', async (_what, build, message) => {
    const store = await bench.compile(build());
    const model = await bench.load(store, 'resident');
    for (let run = 0; run < 2; run += 1)
      await expect(infer(model, inputsFor(store.manifest.inputs, 1))).rejects.toThrow(message);
    await model.close();
    const sound = await bench.compile(twoProducts(1));
    const next = await bench.load(sound, 'resident');
    expect((await infer(next, inputsFor(sound.manifest.inputs, 1))).size).toBe(1);
    await next.close();
  });
});

describe('the process that compiles', () => {
  it('is the first to end where memory runs out', async () => {
    const children = `/proc/${process.pid}/task/${process.pid}/children`;
    if (!existsSync(children)) return;
    const sourcePath = await bench.write(twoProducts(1));
    const scores = new Set<string>();
    const look = (): void => {
      for (const pid of readFileSync(children, 'utf8').split(' ').filter(Boolean))
        scores.add(readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8').trim());
    };
    const storePath = join(bench.folder, 'in-process');
    const request = { sourcePath, storePath, provider: 'cpu', threads: 1 };
    await compileInProcess(request, look, new AbortController().signal);
    expect(scores).toContain('1000');
  });
});
