import { z } from 'zod';

const id = z.number().int().nonnegative();
const detail = z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]);

/** A reply of a box. An error code of a later version than ours is passed on as it is. */
export const replySchema = z.object({
  id,
  reply: z.discriminatedUnion('ok', [
    z.object({ ok: z.literal(true), value: z.unknown() }),
    z.object({
      ok: z.literal(false),
      error: z.object({
        code: z.string().max(100),
        message: z.string(),
        details: z.record(z.string(), detail).default({}),
      }),
    }),
  ]),
});

/** What a box says of itself first. */
export const engineInfoSchema = z.looseObject({
  version: z.string().max(100),
  threads: z.number(),
  dataDir: z.string().max(5000),
});

export const deviceInfoSchema = z.looseObject({
  hostname: z.string().max(300),
  cpu: z.string().max(300),
  cores: z.number(),
  memTotalBytes: z.number(),
});

/** Of one major version; before 1.0, of one minor version (semver.org, 4 and 8). */
export function speakOneProtocol(ours: string, theirs: string): boolean {
  const [ourMajor, ourMinor] = parts(ours);
  const [theirMajor, theirMinor] = parts(theirs);
  if (ourMajor === undefined || theirMajor === undefined) return false;
  return ourMajor === theirMajor && (ourMajor > 0 || ourMinor === theirMinor);
}

function parts(version: string): readonly number[] {
  const found = /^(\d+)\.(\d+)\./.exec(version);
  return found ? [Number(found[1]), Number(found[2])] : [];
}
