import { once } from 'node:events';

import { afterEach, expect, it, vi } from 'vitest';

import { OipClient } from '../../../serving';
import { createShapedLink } from './shaped-link';
import type { ShapedLink } from './shaped-link';

/** A server of the protocol as far as health goes, with a page that takes the link a while. */
const SERVER = `
  const server = require('node:http').createServer((request, response) => {
    response.end(request.url === '/metrics' ? '#'.repeat(200_000) + '\\nsluice_serving_queue_length 4\\n' : '{}');
  });
  server.listen(0, process.argv[1], () => console.log(server.address().port));`;

let link: ShapedLink | undefined;
afterEach(() => link?.close());

it.each(['kernel', 'proxy'])('a link by %s: rate, delay, faults, all while it is used', async (rate) => {
  const uid = rate === 'proxy' ? vi.spyOn(process, 'getuid').mockReturnValue(1000) : undefined;
  const reasons: string[] = [];
  link = createShapedLink((reason) => reasons.push(reason));
  uid?.mockRestore();
  if (rate === 'proxy') expect(link.means).toEqual({ rate: 'proxy', delay: 'proxy' });
  expect(reasons).toHaveLength(link.means.rate === 'kernel' ? 0 : 1);

  const child = link.spawn(process.execPath, ['-e', SERVER, link.serverHost], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = (await once(child.stdout!, 'data')) as [Buffer];
  const { host, port } = await link.connectTo(Number(said.toString()));
  const client = new OipClient({ url: `http://${host}:${port}`, retries: 0 });
  try {
    expect(await client.health()).toMatchObject({ state: 'ready' });
    await link.set({ delayMs: 30 });
    expect((await client.health()).roundTripMs).toBeGreaterThan(60 * 0.9);
    await link.set({ delayMs: 0, bytesPerSec: 1e6 });
    const startMs = performance.now();
    expect(await client.serverFigures()).toEqual({ queueLength: 4 });
    expect(performance.now() - startMs).toBeGreaterThan(200 * 0.9);

    await link.setFault({ kind: 'stall' });
    await expect(client.serverFigures({ deadlineMs: 100 })).rejects.toMatchObject({ code: 'timeout' });
    await link.setFault({ kind: 'reset', afterBytes: 100_000 });
    await expect(client.serverFigures()).rejects.toMatchObject({ code: 'unavailable' });
    await link.setFault({ kind: 'refuse' });
    expect(await client.health()).toMatchObject({ state: 'unreachable' });
    await link.setFault({ kind: 'none' });
    expect(await client.health()).toMatchObject({ state: 'ready' });
  } finally {
    await client.close();
    child.kill('SIGKILL');
  }
});
