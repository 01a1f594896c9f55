import { describe, expect, it } from 'vitest';
import { thrownBy } from '../contract/test-support/failure-of';
import { OrtEnvironment, OrtSession, runtimeLibraryPath } from './index';
import { openRuntime } from './test-support/open-runtime';
import { addOne } from './test-support/small-graphs';

const runtime = openRuntime(2);

const plain = { optimization: 'none' } as const;
const create = (bytes: Uint8Array): OrtSession => OrtSession.create(runtime.environment, bytes, plain);

describe('OrtEnvironment', () => {
  it('tells the version and the providers of its library', () => {
    expect(runtime.environment.version).toMatch(/^1\.\d+\.\d+/);
    expect(runtime.environment.availableProviders()).toContain('CPUExecutionProvider');
  });

  it('opens more than once in a process', () => {
    const second = OrtEnvironment.open({ threads: 1 });
    const session = OrtSession.create(second, addOne(), { ...plain, sharedArena: true });
    session.release();
    second.close();
    create(addOne()).release();
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses %s threads', (threads) => {
    expect(thrownBy(() => OrtEnvironment.open({ threads }))).toMatchObject({ code: 'bad-input' });
  });

  it('says where it looked for a library that is not there', () => {
    const failure = thrownBy(() => runtimeLibraryPath('/nowhere/libonnxruntime.so'));
    expect(failure.code).toBe('unsupported');
    expect(failure.message).toContain('/nowhere/libonnxruntime.so');
    expect(failure.message).toContain('SLUICE_ORT_LIBRARY');
  });
});
