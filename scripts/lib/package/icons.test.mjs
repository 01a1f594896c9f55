import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drawIcons, PNG_SIZES } from './icons.mjs';

let folder;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-icons-'));
  await drawIcons(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const PNG = '89504e470d0a1a0a';
const widthOf = (png) => {
  expect(png.toString('hex', 0, 8)).toBe(PNG);
  return png.readUInt32BE(16);
};

describe('icons', () => {
  it('are drawn in every size', () => {
    expect(readdirSync(join(folder, 'png'))).toHaveLength(PNG_SIZES.length);
    for (const width of PNG_SIZES) {
      expect(widthOf(readFileSync(join(folder, 'png', `${width}x${width}.png`)))).toBe(width);
    }
  });

  it('stand whole in a container of Windows', () => {
    const ico = readFileSync(join(folder, 'icon.ico'));
    expect([ico.readUInt16LE(0), ico.readUInt16LE(2)]).toEqual([0, 1]);
    const count = ico.readUInt16LE(4);
    let end = 6 + 16 * count;
    for (let index = 0; index < count; index++) {
      const at = 6 + 16 * index;
      const [bytes, offset] = [ico.readUInt32LE(at + 8), ico.readUInt32LE(at + 12)];
      expect(offset).toBe(end);
      expect(widthOf(ico.subarray(offset, offset + bytes)) % 256).toBe(ico[at]);
      end = offset + bytes;
    }
    expect(end).toBe(ico.length);
  });

  it('stand whole in a container of Apple', () => {
    const icns = readFileSync(join(folder, 'icon.icns'));
    expect([icns.toString('latin1', 0, 4), icns.readUInt32BE(4)]).toEqual(['icns', icns.length]);
    const widths = {};
    for (let at = 8; at < icns.length; at += icns.readUInt32BE(at + 4)) {
      widths[icns.toString('latin1', at, at + 4)] = widthOf(icns.subarray(at + 8));
    }
    expect(widths).toEqual({ icp4: 16, icp5: 32, icp6: 64, ic07: 128, ic08: 256, ic09: 512, ic10: 1024 });
  });
});
