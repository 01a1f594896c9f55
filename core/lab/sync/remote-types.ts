import { z } from 'zod';

import { parseUrl } from '../../base';
import { SluiceError } from '../../contract';

const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/i;
const MOST_EXPERIMENTS = 1000;

export const remoteNameSchema = z
  .string()
  .regex(NAME, 'expected a name of up to 64 letters, digits and . _ - that begins with a letter or digit');

export const newRemoteSchema = z.strictObject({
  name: remoteNameSchema,
  url: z.string().max(2000),
  token: z
    .string()
    .min(1)
    .max(10_000)
    .regex(/^[\x21-\x7e]+$/, 'expected one token without spaces in it')
    .exactOptional(),
  /** Or where it stands, on the machine of the lab: absolute. It is read each time. */
  tokenFile: z.string().min(1).max(4096).exactOptional(),
  /** Names; absent: all experiments, also those to come. */
  experiments: z.array(z.string().min(1).max(500)).min(1).max(MOST_EXPERIMENTS).exactOptional(),
});
export type NewRemote = z.output<typeof newRemoteSchema>;

export type RemoteKind = 'lab' | 'mlflow';

export interface Remote {
  readonly number: number;
  readonly name: string;
  /** Without a slash at its end. */
  readonly url: string;
  readonly experiments: readonly string[] | undefined;
  /** What it is, and of a lab who; undefined until it was reached. */
  readonly kind: RemoteKind | undefined;
  readonly labId: string | undefined;
  /** When all was there, and when and why it last failed. */
  readonly succeededMs: number | undefined;
  readonly failedMs: number | undefined;
  readonly error: string | undefined;
}

/** What a remote does not have yet. */
export interface Pending {
  readonly runs: number;
  readonly points: number;
  /** Of runs and logged models that are there already. */
  readonly files: number;
  readonly fileBytes: number;
}

/** What a pass sent, and what the remote would not take. */
export interface PassReport {
  readonly runs: number;
  readonly points: number;
  readonly files: number;
  readonly fileBytes: number;
  readonly modelVersions: number;
  readonly refused: readonly Refusal[];
}

export interface Refusal {
  /** The id of a run, or a model's name. */
  readonly what: string;
  readonly reason: string;
}

export interface RemoteStatus {
  readonly name: string;
  readonly url: string;
  readonly experiments: readonly string[] | undefined;
  readonly kind: RemoteKind | undefined;
  readonly hasToken: boolean;
  readonly state: 'idle' | 'syncing' | 'waiting';
  readonly pending: Pending;
  /** Milliseconds since the Unix epoch, as are the others. */
  readonly lastSuccessMs: number | undefined;
  readonly lastErrorMs: number | undefined;
  readonly lastError: string | undefined;
  readonly nextTryMs: number | undefined;
  readonly refused: readonly Refusal[];
}

/** @returns the URL without a slash at its end. @throws SluiceError `bad-input`. */
export function parseRemoteUrl(text: string): string {
  const url = parseUrl(text);
  const problem = urlProblem(url);
  if (url && problem === undefined) return url.href.replace(/\/+$/, '');
  // What is wrong with it may be a password in it.
  const shown = url?.password ? '' : `, found ${JSON.stringify(text.slice(0, 200))}`;
  throw new SluiceError('bad-input', `URL of a remote: ${problem}${shown}.`);
}

function urlProblem(url: URL | undefined): string | undefined {
  if (!url || !['http:', 'https:'].includes(url.protocol)) return 'expected http://HOST or https://HOST';
  if (url.username !== '' || url.password !== '')
    return 'expected one without a user and password; give a token in a file';
  if (url.search !== '' || url.hash !== '') return 'expected one without "?" and "#"';
  return undefined;
}
