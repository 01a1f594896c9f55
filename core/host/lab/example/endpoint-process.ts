import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { z } from 'zod';

import { workerFile } from '../../../base';
import { SluiceError } from '../../../contract';
import { printedUrl } from '../../bench/printed-url';

const TOKEN_BYTES = 24;
const answerSchema = z.object({ outputs: z.tuple([z.object({ data: z.array(z.number()) })]) });

/** An edge endpoint with nothing in its library, as a process. */
export interface Endpoint {
  readonly url: string;
  /** What publishing there takes. */
  readonly token: string;
  readonly close: () => Promise<void>;
}

/** @param folder of its data. @throws SluiceError `runtime` with what it said when it does not start. */
export async function startEndpoint(folder: string): Promise<Endpoint> {
  const token = randomBytes(TOKEN_BYTES).toString('hex');
  const tokenFile = join(folder, 'deploy-token');
  await writeFile(tokenFile, token, { mode: 0o600 });
  const args = ['serve', '--tier', 'edge', '--port', '0', '--deploy-token-file', tokenFile, '--json'];
  const child = spawn(process.execPath, [workerFile('cli'), ...args], {
    env: { ...process.env, SLUICE_DATA_DIR: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const close = (): Promise<void> => {
    child.kill('SIGTERM');
    return ended;
  };
  try {
    return { url: await printedUrl('serving', child), token, close };
  } catch (cause) {
    await close();
    throw cause;
  }
}

/** Asks about one window, as a machine would. @returns probabilities, by class. */
export async function ask(
  endpoint: Endpoint,
  model: string,
  readings: readonly number[],
  signal: AbortSignal,
): Promise<number[]> {
  const input = { name: 'readings', datatype: 'FP32', shape: [1, readings.length], data: readings };
  const url = `${endpoint.url}/v2/models/${model}/infer`;
  const answer = await fetch(url, { method: 'POST', body: JSON.stringify({ inputs: [input] }), signal });
  if (!answer.ok) throw new SluiceError('runtime', `${url}: ${answer.status} ${await answer.text()}`);
  return answerSchema.parse(await answer.json()).outputs[0].data;
}
