import { afterEach, expect, it } from 'vitest';

import { SluiceError } from '../../contract';
import { DEFAULT_LIMITS, type Listener } from '../../serving';
import type { LongWork } from '../datasets/tree/tree-store';
import { startLabServer } from './lab-server';
import { tellProgress } from './told-progress';

let listener: Listener | undefined;
afterEach(() => listener?.close());

/** A server whose only route does the work. @returns its URL. */
async function serve(
  work: (work: LongWork) => Promise<object>,
  nowMs: () => number = () => 0,
): Promise<string> {
  listener = await startLabServer({
    routes: [(app) => app.post('/work', (_request, reply) => tellProgress(reply, nowMs, work))],
    token: undefined,
    host: '127.0.0.1',
    port: 0,
    limits: DEFAULT_LIMITS,
  });
  return `http://127.0.0.1:${listener.port}/work`;
}

const linesOf = async (url: string): Promise<unknown[]> =>
  (await (await fetch(url, { method: 'POST' })).text())
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line));

it('tells the first progress, then at most every 100 ms, and at last the result', async () => {
  let now = 0;
  const url = await serve(
    ({ onProgress }) => {
      for (now = 0; now <= 150; now += 50) onProgress?.({ doneBytes: now, totalBytes: 150 });
      return Promise.resolve({ result: 'whole' });
    },
    () => now,
  );
  expect(await linesOf(url)).toEqual([
    { doneBytes: 0, totalBytes: 150 },
    { doneBytes: 100, totalBytes: 150 },
    { result: 'whole' },
  ]);
});

it('tells what went wrong as the last line', async () => {
  const url = await serve(() => Promise.reject(new SluiceError('unauthorized', 'Not yours.')));
  expect(await linesOf(url)).toEqual([{ error: { code: 'unauthorized', message: 'Not yours.' } }]);
});

it('cancels the work when whoever asked is gone', async () => {
  let cancelled = (): void => undefined;
  const isCancelled = new Promise<void>((resolve) => (cancelled = resolve));
  const url = await serve(
    ({ signal, onProgress }) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => {
          cancelled();
          reject(new SluiceError('cancelled', 'gone'));
        });
        onProgress?.({ doneBytes: 1, totalBytes: 2 });
      }),
  );
  const leaving = new AbortController();
  const answer = await fetch(url, { method: 'POST', signal: leaving.signal });
  await answer.body!.getReader().read();
  leaving.abort();
  await isCancelled;
});
