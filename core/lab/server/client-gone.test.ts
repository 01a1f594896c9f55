import { Agent, request as ask } from 'node:http';
import type { Socket } from 'node:net';

import { afterEach, expect, it } from 'vitest';

import { DEFAULT_LIMITS, type Listener } from '../../serving';
import { clientGone } from './client-gone';
import { startLabServer } from './lab-server';
import type { LabRoutes } from './lab-server';

const REQUESTS = 40;

let listener: Listener | undefined;
afterEach(() => listener?.close());

async function serve(routes: LabRoutes): Promise<number> {
  const shared = { token: undefined, host: '127.0.0.1', port: 0, limits: DEFAULT_LIMITS };
  listener = await startLabServer({ ...shared, routes: [routes] });
  return listener.port;
}

it('a connection that asks again and again gathers no listeners', async () => {
  const sockets = new Set<Socket>();
  const counts: number[] = [];
  const signals: AbortSignal[] = [];
  const port = await serve((app) => {
    app.get('/work', (request, reply) => {
      sockets.add(request.raw.socket);
      signals.push(clientGone(reply));
      counts.push(request.raw.socket.listenerCount('close'));
      return {};
    });
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (let i = 0; i < REQUESTS; i++) {
    await new Promise<void>((resolve, reject) => {
      ask({ host: '127.0.0.1', port, path: '/work', agent }, (answer) => answer.resume().once('end', resolve))
        .once('error', reject)
        .end();
    });
  }
  agent.destroy();
  expect(sockets.size).toBe(1);
  expect(new Set(counts).size).toBe(1);
  expect(signals.slice(0, -1).every(({ aborted }) => aborted)).toBe(true);
});

it('is told when who asked leaves before the answer', async () => {
  let begun = (): void => undefined;
  const isBegun = new Promise<void>((resolve) => (begun = resolve));
  let left = (): void => undefined;
  const hasLeft = new Promise<void>((resolve) => (left = resolve));
  const port = await serve((app) => {
    app.get('/work', (_request, reply) => {
      clientGone(reply).addEventListener('abort', left);
      begun();
      return new Promise(() => undefined);
    });
  });
  const asked = ask({ host: '127.0.0.1', port, path: '/work', agent: false }).on('error', () => undefined);
  asked.end();
  await isBegun;
  asked.destroy();
  await hasLeft;
});
