import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { connectedComponents } from './components';

function fromRows(...rows: string[]): { map: number[]; width: number; height: number } {
  return {
    map: rows.flatMap((row) => Array.from(row, Number)),
    width: rows[0]?.length ?? 0,
    height: rows.length,
  };
}

describe('connectedComponents', () => {
  it('joins diagonal neighbours and keeps the rest apart', () => {
    const { map, width, height } = fromRows('11001', '00100', '00000', '10010');
    const found = connectedComponents(map, width, height, 0.5);
    expect(found.map(({ pixels }) => pixels)).toEqual([3, 1, 1, 1]);
    expect(found[0]?.outline).toEqual([
      { x: 0, y: 0 },
      { x: 1, y: 0 },
      { x: 2, y: 1 },
    ]);
  });

  it('accounts for every pixel above the threshold, without wrapping at row ends', () => {
    const cells = fc.array(fc.integer({ min: 0, max: 1 }), { minLength: 63, maxLength: 63 });
    fc.assert(
      fc.property(cells, (map) => {
        const found = connectedComponents(map, 9, 7, 0.5);
        expect(found.reduce((sum, { pixels }) => sum + pixels, 0)).toBe(map.filter(Boolean).length);
        for (const { outline } of found) {
          for (const { x, y } of outline) expect(map[y * 9 + x]).toBe(1);
        }
      }),
    );
    const { map, width, height } = fromRows('001', '100');
    expect(connectedComponents(map, width, height, 0.5)).toHaveLength(2);
  });
});
