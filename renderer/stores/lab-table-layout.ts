/** How the table of runs is laid out. A column's key: `user`, or with its kind `metrics.loss`, `params.lr`, `tags.team`. */
export interface LabTableLayout {
  /** In order; the name stands before them always. */
  readonly columns: readonly string[];
  /** Those that stay at the left while the others scroll. */
  readonly pinned: readonly string[];
  /** CSS pixels, of columns whose width was changed. */
  readonly widths: Readonly<Record<string, number>>;
  readonly sort: { readonly key: string; readonly isDescending: boolean };
  /** Column whose values part the rows; absent: one list. */
  readonly group?: string | undefined;
}

export const DEFAULT_TABLE_LAYOUT: LabTableLayout = {
  columns: ['state', 'user', 'created', 'duration', 'dataset', 'program'],
  pinned: [],
  widths: {},
  sort: { key: 'created', isDescending: true },
};

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textsOf(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : undefined;
}

/** Reads what was remembered, field by field: an unusable one takes its default. */
export function parseTableLayout(text: string | null): LabTableLayout {
  let raw: unknown;
  try {
    raw = JSON.parse(text ?? '{}');
  } catch {
    raw = {}; // written by hand or cut short: defaults
  }
  const fields = isRecord(raw) ? raw : {};
  const sort = isRecord(fields['sort']) ? fields['sort'] : {};
  const widths = isRecord(fields['widths']) ? Object.entries(fields['widths']) : [];
  return {
    columns: textsOf(fields['columns']) ?? DEFAULT_TABLE_LAYOUT.columns,
    pinned: textsOf(fields['pinned']) ?? [],
    widths: Object.fromEntries(
      widths.filter((entry): entry is [string, number] => Number.isFinite(entry[1])),
    ),
    sort:
      typeof sort['key'] === 'string'
        ? { key: sort['key'], isDescending: sort['isDescending'] === true }
        : DEFAULT_TABLE_LAYOUT.sort,
    ...(typeof fields['group'] === 'string' ? { group: fields['group'] } : {}),
  };
}
