import { z } from 'zod';

import { SluiceError } from '../../contract';

const bar = z.looseObject({
  bar: z.string(),
  target: z.string(),
  /** JSON has no NaN: null is a bar without rows. */
  value: z.number().nullable(),
  met: z.boolean(),
  worst: z.string().optional(),
});
export type BenchBar = z.infer<typeof bar>;

const value = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const environment = z.record(z.string(), z.unknown());

const file = z.looseObject({ environment: environment.optional(), bars: z.array(bar).optional() });
export type BenchFile = z.infer<typeof file>;

/** A plain value of a bench's row. */
export type BenchValue = z.infer<typeof value>;
export type BenchRow = Readonly<Record<string, BenchValue>>;

/**
 * What a `sluice bench ... --json` printed.
 * @throws SluiceError `bad-input` that names what is missing.
 */
export function parseBenchFile(document: unknown, name: string): BenchFile {
  const parsed = file.safeParse(document);
  if (!parsed.success) {
    const faults = parsed.error.issues.map(
      (issue) => `${issue.path.join('.') || 'the document'}: ${issue.message}`,
    );
    throw new SluiceError(
      'bad-input',
      `${name} is not the JSON of "sluice bench ... --json": ${faults.join('; ')}.`,
      { faults },
    );
  }
  if (Object.keys(parsed.data).length === 0) {
    throw new SluiceError('bad-input', `${name} is empty; expected the JSON of "sluice bench ... --json".`);
  }
  return parsed.data;
}

/** Objects of an array with their plain values alone; nothing for other things. */
export function rowsOf(array: unknown): readonly BenchRow[] {
  if (!Array.isArray(array)) return [];
  return array.flatMap((item: unknown) => {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) return [];
    return [flat(item)];
  });
}

/** `{meanResponseMs: {median: 3}}` becomes `meanResponseMs: 3`: of a spread, the median stands for it. */
function flat(item: object): BenchRow {
  return Object.fromEntries(
    Object.entries(item).flatMap(([key, entry]): [string, BenchValue][] => {
      const plain = value.safeParse(entry);
      if (plain.success) return [[key, plain.data]];
      if (typeof entry === 'object' && entry !== null && 'median' in entry) {
        const middle = value.safeParse((entry as { readonly median: unknown }).median);
        return middle.success ? [[key, middle.data]] : [];
      }
      return [];
    }),
  );
}

export function numberOf(row: BenchRow, key: string): number {
  const found = row[key];
  return typeof found === 'number' ? found : Number.NaN;
}

export function textOf(row: BenchRow, key: string): string {
  const found = row[key];
  return found === undefined || found === null ? '' : String(found);
}
