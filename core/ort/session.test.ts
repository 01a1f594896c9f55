import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { thrownBy } from '../contract/test-support/failure-of';
import { DataType, makeNode, makeValueInfo } from '../onnx';
import { OrtSession } from './index';
import { openRuntime } from './test-support/open-runtime';
import { addOne, modelOf } from './test-support/small-graphs';

const runtime = openRuntime(2);

const plain = { optimization: 'none' } as const;
const create = (bytes: Uint8Array): OrtSession => OrtSession.create(runtime.environment, bytes, plain);

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
      modelOf({
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
      modelOf({
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
          modelOf({
            nodes: [makeNode('Frobnicate', [], ['y'])],
            outputs: [makeValueInfo('y', DataType.float32)],
          }),
        ),
      /Frobnicate/,
    ],
    [
      'a file that is not there',
      () => OrtSession.create(runtime.environment, '/nowhere/model.onnx', plain),
      /nowhere/,
    ],
  ])('refuses %s', (_, work, message) => {
    const failure = thrownBy(work);
    expect(failure.code).toBe('runtime');
    expect(failure.message).toMatch(message);
  });

  it('names the providers there are when asked for another', () => {
    const failure = thrownBy(() =>
      OrtSession.create(runtime.environment, addOne(), { ...plain, provider: 'abacus' }),
    );
    expect(failure).toMatchObject({ code: 'unsupported', details: { provider: 'abacus' } });
    expect(failure.message).toContain("'abacus'");
    expect(failure.message).toContain('CPUExecutionProvider');
  });

  it('loads a file, with a path that is not ASCII', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-ort-'));
    const path = join(folder, 'modèle ü 模型.onnx');
    writeFileSync(path, addOne());
    OrtSession.create(runtime.environment, path, plain).release();
    rmSync(folder, { recursive: true });
  });
});
