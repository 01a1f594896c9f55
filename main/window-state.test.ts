import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { beforeEach, describe, expect, it } from 'vitest';

import { readWindowState, usableBounds, writeWindowState } from './window-state';

let file: string;
beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-window-'));
  file = join(folder, 'state.json');
  return () => rmSync(folder, { recursive: true, force: true });
});

const SCREEN = { x: 0, y: 0, width: 1920, height: 1080 };

describe('window state', () => {
  it('comes back as written', () => {
    const state = { bounds: { x: 5, y: 6, width: 1200, height: 800 }, maximized: true };
    writeWindowState(file, state);
    expect(readWindowState(file)).toEqual(state);
  });

  it.each(['', '{', '[]', '{"maximized":"yes"}', '{"maximized":true,"bounds":{"x":0}}'])(
    'falls back to the default for %j',
    (text) => {
      writeFileSync(file, text);
      expect(readWindowState(file)).toEqual({ maximized: false });
    },
  );

  it('of a newer Sluice is not written over; of an earlier one it is read', () => {
    writeFileSync(file, '{"maximized":true}');
    expect(readWindowState(file)).toEqual({ maximized: true });
    const newer = '{"version":2,"places":[]}';
    writeFileSync(file, newer);
    expect(readWindowState(file)).toEqual({ maximized: false });
    expect(() => writeWindowState(file, { maximized: true })).toThrow(/state\.json .*has version 2/);
    expect(readFileSync(file, 'utf8')).toBe(newer);
  });

  it('keeps bounds on a display and drops those of one that is gone', () => {
    const bounds = { x: 100, y: 100, width: 1200, height: 800 };
    expect(usableBounds(bounds, [SCREEN])).toEqual(bounds);
    expect(usableBounds({ ...bounds, x: 4000 }, [SCREEN])).toBeUndefined();
    expect(usableBounds({ ...bounds, y: -500 }, [SCREEN])).toBeUndefined();
    expect(usableBounds(undefined, [SCREEN])).toBeUndefined();
  });

  it('never comes back smaller than the minimum', () => {
    expect(usableBounds({ x: 0, y: 0, width: 300, height: 200 }, [SCREEN])).toEqual({
      x: 0,
      y: 0,
      width: 1024,
      height: 640,
    });
  });
});
