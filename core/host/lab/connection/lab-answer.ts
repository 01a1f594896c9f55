import { z } from 'zod';

import { boundedText } from '../../../base';
import { SluiceError } from '../../../contract';
import { errorDetailsSchema } from '../../../serving';
import { faultText } from '../../../storage';

const errorSchema = z.object({ error_code: z.string(), message: z.string(), details: errorDetailsSchema });

/** What a lab says when it refuses, in MLflow's shape. */
export type LabRefusal = z.infer<typeof errorSchema>;

/**
 * What a lab answered. It may be another program by now, of another version, or one that never ends its answer.
 * @param url of the lab, for the message. @throws SluiceError `unavailable` for anything else than the schema says.
 */
export async function labAnswer<S extends z.ZodType>(
  url: string,
  body: AsyncIterable<unknown>,
  schema: S,
): Promise<z.output<S>> {
  try {
    return schema.parse(JSON.parse(await boundedText(body)));
  } catch (cause) {
    throw new SluiceError(
      'unavailable',
      `${url} answers otherwise than a lab of this version does: ${faultText(cause)}. See what listens there, or start ` +
        'the lab again with this version.',
      { url },
      { cause },
    );
  }
}

/** Undefined when it says nothing that a lab would. */
export async function labRefusal(body: AsyncIterable<unknown>): Promise<LabRefusal | undefined> {
  try {
    return errorSchema.parse(JSON.parse(await boundedText(body)));
  } catch {
    // Its status has to say it.
    return undefined;
  }
}
