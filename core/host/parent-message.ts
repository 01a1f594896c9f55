import { z } from 'zod';

import { checkInput, SluiceError } from '../contract';
import type { Log } from './state-file';

const connectSchema = z.strictObject({ kind: z.literal('connect') });
const tokensSchema = z.strictObject({
  kind: z.literal('tokens'),
  /** Bearer tokens by endpoint, out of the operating system's keychain. */
  tokens: z.record(z.string(), z.string().min(1)),
  /** Endpoints whose token was kept and can't be decrypted any more. */
  missing: z.array(z.string()),
});
const messageSchema = z.discriminatedUnion('kind', [connectSchema, tokensSchema]);

/** What Electron's main process says to the engine; undefined, and told to `log` without any value, when it is neither. */
export function parentMessageOf(data: unknown, log: Log): z.infer<typeof messageSchema> | undefined {
  try {
    return checkInput('a message of the main process', messageSchema, data);
  } catch (thrown) {
    log(`refused ${SluiceError.from(thrown).message}`);
    return undefined;
  }
}
