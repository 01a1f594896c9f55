/** Entry of the processes that log to a lab or an MLflow server in `sluice bench lab`. */
import { Agent, request } from 'node:http';

import { engineClockMs } from '../../base';
import { SluiceError } from '../../contract';
import { obey } from '../bench/commanded-process';
import { BATCH_STEPS, KEYS, type WriterCommand, type WriteTarget, type Written } from './writer-protocol';

/** A server that says nothing for so long is one that does not work. */
const TIMEOUT_MS = 60_000;
const EPOCH_MS = 1_700_000_000_000;
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

/** @returns the status. @throws Error when the connection is lost. */
function post(url: string, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const sent = request(url, { method: 'POST', agent, headers, timeout: TIMEOUT_MS }, (answer) => {
      answer.resume();
      answer.once('end', () => resolve(answer.statusCode ?? 0));
      answer.once('error', reject);
    });
    sent.once('timeout', () => sent.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
    sent.once('error', reject);
    sent.end(body);
  });
}

function bodyOf(runId: string, batch: number): string {
  const points: string[] = [];
  for (let index = 0; index < BATCH_STEPS; index++) {
    const step = batch * BATCH_STEPS + index;
    const rest = `"value":${1 / (step + 1)},"timestamp":${EPOCH_MS + step},"step":${step}}`;
    for (const key of KEYS) points.push(`{"key":"${key}",${rest}`);
  }
  return `{"run_id":"${runId}","metrics":[${points.join(',')}]}`;
}

async function write({ url, runId, firstBatch }: WriteTarget, ms: number | undefined): Promise<Written> {
  const startedMs = engineClockMs();
  const endMs = startedMs + (ms ?? Infinity);
  let batches = 0;
  let refused = 0;
  while (engineClockMs() < endMs) {
    const body = bodyOf(runId, firstBatch + batches);
    try {
      const status = await post(`${url}/api/2.0/mlflow/runs/log-batch`, body);
      if (status === 200) batches += 1;
      else refused += 1;
    } catch (cause) {
      // Killed, as it was meant to be.
      if (ms === undefined) break;
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new SluiceError('unavailable', `A writer lost ${url}: ${reason}.`, { url }, { cause });
    }
  }
  return { batches, refused, elapsedMs: engineClockMs() - startedMs };
}

obey<WriterCommand>(
  (command) => (command.kind === 'write' ? write(command.target, command.ms) : Promise.resolve(null)),
  ({ kind }) => kind === 'close',
);
