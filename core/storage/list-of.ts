import { z } from 'zod';

/** A list of which the first element that does not fit is told: a damaged file may have a million that do not. */
export function listOf<T>(element: z.ZodType<T>): z.ZodType<readonly T[]> {
  return z.array(z.unknown()).transform((values, context) => {
    const read: T[] = [];
    for (const [index, value] of values.entries()) {
      const { data, error } = element.safeParse(value);
      if (error) {
        const [issue] = error.issues;
        const path = [index, ...(issue?.path ?? [])];
        context.addIssue({ code: 'custom', message: issue?.message ?? 'does not fit', path });
        return z.NEVER;
      }
      read.push(data);
    }
    return read;
  });
}
