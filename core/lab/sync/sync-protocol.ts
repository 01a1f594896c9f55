import { z } from 'zod';

import { POINT_BYTES } from '../tracking/points';

/** What labs tell each other, below `/api/sluice/sync/`. */

const id = z.string().regex(/^[0-9a-f]{32}$/, 'expected 32 hexadecimal digits');
const MOST_POINTS = 20_000;
const MOST_BASE64 = Math.ceil((MOST_POINTS * POINT_BYTES) / 3) * 4;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

export const POINTS_PER_BATCH = MOST_POINTS;

/** `GET about` */
export const aboutSchema = z.object({ labId: id });

/** `POST runs`: who forwards the run, and where it was made. */
export const offeredRunSchema = z.object({
  sender: id,
  origin: id,
  runId: id,
  experimentId: z.string().max(20),
  name: z.string().max(10_000),
  userId: z.string().max(1000),
  startMs: z.number().int().min(0).exactOptional(),
});
export type OfferedRun = z.output<typeof offeredRunSchema>;

export const takenRunSchema = z.object({
  /** False: it is here from somebody else, or was made here. */
  isTaken: z.boolean(),
  artifactUri: z.string(),
});
export type TakenRunAnswer = z.output<typeof takenRunSchema>;

/** `POST points`. Of each metric the points from the one numbered `from`, packed, in base64. */
export const sentPointsSchema = z.object({
  sender: id,
  runId: id,
  series: z
    .array(
      z.object({
        key: z.string().max(1000),
        from: z.number().int().min(0),
        points: z
          .string()
          .max(MOST_BASE64, `expected at most ${MOST_POINTS} points`)
          .regex(BASE64, 'expected base64')
          .transform((text) => Buffer.from(text, 'base64'))
          .refine(({ length }) => length % POINT_BYTES === 0, `expected points of ${POINT_BYTES} bytes each`),
      }),
    )
    .max(MOST_POINTS),
});
export type SentPoints = z.output<typeof sentPointsSchema>;

/** `GET files/PATH`, and `PUT` of the bytes from one on: large files, in as many goes as it takes. */
export const sentFileSchema = z.object({
  bytes: z.coerce.number().int().min(1),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits'),
  from: z.coerce.number().int().min(0).default(0),
});
export const receivedFileSchema = z.object({ bytes: z.number(), isDone: z.boolean() });

/** How many points of each metric are here: less than `from` when some before are missing; nothing was taken of those then. */
export const takenPointsSchema = z.object({ taken: z.array(z.tuple([z.string(), z.number().int().min(0)])) });
