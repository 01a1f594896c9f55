import { describe, expect, it } from 'vitest';
import { thrownBy } from '../contract/test-support/failure-of';
import {
  addressOf,
  allocateNativeMemory,
  BoundRun,
  LargePageMemory,
  OrtSession,
  releasePages,
  tensorOver,
} from './index';
import { openRuntime } from './test-support/open-runtime';
import { addOne } from './test-support/small-graphs';

const runtime = openRuntime(2);

describe('native memory', () => {
  it('is page-aligned, shared and seen by ONNX Runtime at its address', () => {
    const memory = allocateNativeMemory(100);
    expect(memory.bytes.byteLength).toBe(65_536);
    expect(memory.address % 4096n).toBe(0n);
    const view = new Float32Array(memory.memory.buffer, 4096, 6);
    view.set([1, 2, 3, 4, 5, 6]);
    const tensor = tensorOver(runtime.environment, 'float32', [2, 3], memory.address + 4096n, 24, memory);
    const session = OrtSession.create(runtime.environment, addOne(), { optimization: 'none' });
    new BoundRun(session, new Map([['x', tensor]]), new Map([['y', tensor]])).run(runtime.options);
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
    expect(thrownBy(() => LargePageMemory.allocate(2 ** 32)).code).toBe('unsupported');
    expect(thrownBy(() => allocateNativeMemory(2 ** 33)).code).toBe('unsupported');
    const bytes = new Uint8Array(new ArrayBuffer(8));
    expect(
      thrownBy(() => tensorOver(runtime.environment, 'float32', [3], addressOf(bytes), 8, bytes)).message,
    ).toContain('[3] takes 12 bytes; its memory has 8');
    expect(
      thrownBy(() => tensorOver(runtime.environment, 'float12', [2], addressOf(bytes), 8, bytes)).code,
    ).toBe('unsupported');
  });
});
