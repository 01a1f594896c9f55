import type { LabTableLayout } from '../../../stores';
import { strings } from '../../../strings';
import { partedKey } from './run-values';

const STRINGS = strings.lab.runs;

/** A column as it is drawn. */
export interface RunColumn {
  readonly key: string;
  readonly label: string;
  readonly widthPx: number;
  readonly isNumber: boolean;
  readonly isMono: boolean;
  /** Distance from the left edge, of columns that stay there. */
  readonly pinnedPx?: number;
}

export const CHOICE_PX = 40;
export const LEAST_PX = 48;
export const NAME_KEY = 'name';

const WIDTHS: Readonly<Record<string, number>> = {
  name: 190,
  state: 108,
  user: 76,
  created: 92,
  duration: 84,
  dataset: 132,
  program: 260,
  experiment: 110,
  parent: 150,
  search: 110,
  reason: 220,
};
const NUMBERS: ReadonlySet<string> = new Set(['created', 'duration']);
const MONO: ReadonlySet<string> = new Set(['name', 'program', 'dataset', 'parent']);

/** `params.lr` shows as `lr`. */
export function columnLabel(key: string): string {
  return partedKey(key)?.name ?? STRINGS.columns[key as keyof typeof STRINGS.columns];
}

/**
 * The name first, then those that stay, then the others, in the layout's order.
 * @param texts keys of parameters that hold words: they begin at the left.
 */
export function columnsOf(
  { columns, pinned, widths }: LabTableLayout,
  texts: ReadonlySet<string>,
): readonly RunColumn[] {
  const isKnown = (key: string): boolean => partedKey(key) !== undefined || key in STRINGS.columns;
  const keys = [...new Set(columns)].filter((key) => key !== NAME_KEY && isKnown(key));
  const staying = [NAME_KEY, ...keys.filter((key) => pinned.includes(key))];
  let leftPx = CHOICE_PX;
  return [...staying, ...keys.filter((key) => !pinned.includes(key))].map((key, index) => {
    const parted = partedKey(key);
    const widthPx = Math.max(LEAST_PX, widths[key] ?? WIDTHS[key] ?? 92);
    const column = {
      key,
      label: columnLabel(key),
      widthPx,
      isNumber: parted === undefined ? NUMBERS.has(key) : parted.kind !== 'tags' && !texts.has(key),
      isMono: parted === undefined ? MONO.has(key) : false,
    };
    if (index >= staying.length) return column;
    const pinnedPx = leftPx;
    leftPx += widthPx;
    return { ...column, pinnedPx };
  });
}

/** Tracks of the grid; the last one takes what is left. */
export function tracksOf(columns: readonly RunColumn[]): string {
  const tracks = columns.map(({ widthPx }, index) =>
    index === columns.length - 1 ? `minmax(${widthPx}px, 1fr)` : `${widthPx}px`,
  );
  return `${CHOICE_PX}px ${tracks.join(' ')}`;
}

export function widthOf(columns: readonly RunColumn[]): number {
  return columns.reduce((sum, { widthPx }) => sum + widthPx, CHOICE_PX);
}
