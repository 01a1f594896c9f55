import { z } from 'zod';

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

type TokensMessage = z.infer<typeof tokensSchema>;

/** What Electron's main process says to the engine; undefined, and told to `log` without any value, when it is neither. */
export function parentMessageOf(data: unknown, log: Log): z.infer<typeof messageSchema> | undefined {
  const parsed = messageSchema.safeParse(data);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => `${path[0]?.toString() ?? 'it'}: ${message}`);
  log(`refused a message of the main process: ${faults.join('; ')}`);
  return undefined;
}
