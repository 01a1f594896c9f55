/**
 * Colours for a canvas, from tokens (`#rrggbb`). A canvas of Chrome 114, which the console still runs in, knows no
 * `color-mix` and paints black in its place.
 */

const HEX = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i;

/** @param share of what is painted over, 0..1, that the colour covers. */
export function faded(color: string, share: number): string {
  return HEX.test(color) ? `${color}${byteText(share * 255)}` : color;
}

/** @param share of `to`, 0..1; `from` is the rest. */
export function mixed(from: string, to: string, share: number): string {
  const [start, end] = [HEX.exec(from), HEX.exec(to)];
  if (!start || !end) return to;
  const parts = [1, 2, 3].map((part) => {
    const [a, b] = [parseInt(start[part]!, 16), parseInt(end[part]!, 16)];
    return byteText(a + (b - a) * share);
  });
  return `#${parts.join('')}`;
}

function byteText(value: number): string {
  return Math.round(value).toString(16).padStart(2, '0');
}
