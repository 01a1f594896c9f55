import { note, section, table } from '../blocks';
import { formatNumber } from '../format';
import { markup } from '../markup';
import type { Markup } from '../markup';
import { px } from '../plot/scale';
import type { BenchBar } from './bench-file';

const WIDTH = 130;
const GOAL = 65;

/** What was promised, what came out, and whether it was kept: in words and as a picture. */
export function barsSection(bars: readonly BenchBar[]): Markup {
  const met = bars.filter((bar) => bar.met).length;
  return section(
    'Targets',
    note(
      `${met} of ${bars.length} are met. In the pictures the mark is the target, the bar what was measured.`,
    ),
    table<BenchBar>(
      'What was promised, and what was measured',
      [
        {
          title: 'figure',
          cell: ({ bar, worst }) =>
            worst === undefined ? bar : [bar, markup` <span class="note">(${worst})</span>`],
          isHead: true,
        },
        { title: 'target', cell: ({ target }) => target, isNumber: true },
        {
          title: 'measured',
          cell: ({ value }) => (value === null ? 'none' : formatNumber(value)),
          isNumber: true,
        },
        { title: '', cell: bulletOf },
        {
          title: 'met',
          cell: ({ met: isMet }) =>
            isMet ? markup`<span class="met">✓ met</span>` : markup`<span class="missed">✗ not met</span>`,
        },
      ],
      bars,
    ),
  );
}

function bulletOf({ target, value, met }: BenchBar): Markup | undefined {
  const goal = Number(/^[<>]?=?\s*(-?\d+(?:\.\d+)?)/.exec(target)?.[1] ?? Number.NaN);
  if (!(goal > 0) || value === null) return undefined;
  const length = Math.max(0, Math.min(WIDTH, (value / goal) * GOAL));
  const isCut = (value / goal) * GOAL > WIDTH;
  return markup`<svg width="${WIDTH}" height="14" viewBox="0 0 ${WIDTH} 14" aria-hidden="true"><rect class="track" y="4" width="${WIDTH}" height="6" rx="3"/><rect class="${met ? 'goodbar' : 'badbar'}" y="4" width="${px(length)}" height="6" rx="${isCut ? 0 : 3}"/><path class="goal" d="M${GOAL} 1V13"/></svg>`;
}
