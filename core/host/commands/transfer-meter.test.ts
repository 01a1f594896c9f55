import { expect, it } from 'vitest';

import { TransferMeter } from './transfer-meter';

const MIB = 2 ** 20;

it('tells share, rate and what is left', () => {
  let nowMs = 1000;
  const meter = new TransferMeter({ nowMs: () => nowMs });
  const at = (atMs: number, bytes: number): string => {
    nowMs = atMs;
    meter.update(bytes);
    return meter.text(bytes, 1000 * MIB);
  };
  // What was there before did not come now.
  expect(at(1000, 400 * MIB)).toBe('40%, 400 MiB of 1000 MiB');
  expect(at(2000, 410 * MIB)).toBe('41%, 410 MiB of 1000 MiB, 10.0 MiB/s, 59 s left');
  expect(at(2100, 411 * MIB)).toMatch(/10.0 MiB\/s/);
  expect(at(12_000, 420 * MIB)).toBe('42%, 420 MiB of 1000 MiB, 1.00 MiB/s, 9 min 40 s left');
  for (let second = 13; second < 30; second += 1) at(second * 1000, 420 * MIB);
  expect(at(30_000, 420 * MIB)).toBe('42%, 420 MiB of 1000 MiB, 0 B/s');
  // It began anew.
  expect(at(30_100, 0)).toBe('0%, 0 B of 1000 MiB');
  expect(at(31_100, MIB / 8)).toMatch(/^0%, 128 KiB of 1000 MiB, 128 KiB\/s, 2 h 13 min left$/);
  expect(at(40_000, 1000 * MIB)).toBe('100%, 1000 MiB of 1000 MiB');
  expect(new TransferMeter({ nowMs: () => 0 }).text(0, 0)).toBe('100%, 0 B of 0 B');
});
