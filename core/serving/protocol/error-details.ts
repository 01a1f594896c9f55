import { z } from 'zod';

import type { ErrorDetails } from '../../contract';

/** Details as another server's refusal carries them; none where they are anything else. */
export const errorDetailsSchema: z.ZodType<ErrorDetails> = z
  .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]))
  .catch({});
