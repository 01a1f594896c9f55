import type { Quad } from '../contract';
import { distance, quadPoints } from './geometry';

interface Placed<T> {
  readonly item: T;
  /** Centre and height along the page's own axes. */
  readonly across: number;
  readonly down: number;
  readonly height: number;
}

/**
 * Groups boxes into lines, top to bottom, each left to right. The page may be turned by up to 45 degrees: lines follow
 * the boxes' own mean direction, weighted by length. Two boxes share a line when their centres differ by less than
 * half the lower one's height.
 */
export function groupIntoLines<T extends { readonly quad: Quad }>(boxes: readonly T[]): T[][] {
  const angle = pageAngle(boxes);
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  const placed = boxes.map((item): Placed<T> => {
    const [a, b, c, d] = quadPoints(item.quad);
    const x = (a.x + b.x + c.x + d.x) / 4;
    const y = (a.y + b.y + c.y + d.y) / 4;
    const height = (distance(a, d) + distance(b, c)) / 2;
    return { item, across: x * cos + y * sin, down: y * cos - x * sin, height };
  });
  placed.sort((a, b) => a.down - b.down);
  const lines: Placed<T>[][] = [];
  for (const box of placed) {
    // The last box added is the nearest one above: skew left over inside a line can't add up.
    const line = lines.at(-1);
    const above = line?.at(-1);
    if (line && above && box.down - above.down < Math.min(box.height, above.height) / 2) line.push(box);
    else lines.push([box]);
  }
  return lines.map((line) => line.sort((a, b) => a.across - b.across).map((box) => box.item));
}

/** Direction of the boxes' upper edges, radians. */
function pageAngle(boxes: readonly { readonly quad: Quad }[]): number {
  let x = 0;
  let y = 0;
  for (const { quad } of boxes) {
    const [topLeft, topRight] = quadPoints(quad);
    x += topRight.x - topLeft.x;
    y += topRight.y - topLeft.y;
  }
  return Math.atan2(y, x);
}
