import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterEach, expect, it } from 'vitest';
import { z } from 'zod';

import { SluiceError } from '../../../contract';
import { LabApi } from './lab-api';

let server: Server;
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

async function labOf(answer: RequestListener): Promise<LabApi> {
  server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return new LabApi(`http://127.0.0.1:${port}`, undefined, 'somebody');
}

const runs = z.object({ runs: z.array(z.object({ id: z.string() })) });

it.each<readonly [string, RequestListener, RegExp]>([
  ['another program', (_request, response) => response.end('<html>'), /answers otherwise than a lab .*JSON/],
  [
    'a lab of another kind',
    (_request, response) => response.end('{"runs": [7]}'),
    /runs\.0: .*expected object/,
  ],
  [
    'a list of a million that are none',
    (_request, response) => response.end(`{"runs": [${'7,'.repeat(1_000_000)}7]}`),
    /runs\.0: .*and \d+ more/,
  ],
  [
    'a refusal that is none of a lab',
    (_request, response) => response.writeHead(500).end('x'.repeat(10_000)),
    /answers 500 to GET runs/,
  ],
])('what %s answers is told, and short', async (_what, answer, message) => {
  const lab = await labOf(answer);
  const failure = await lab.get('runs', runs).catch((thrown: unknown) => thrown as Error);
  expect(failure).toBeInstanceOf(SluiceError);
  expect((failure as Error).message).toMatch(message);
  expect((failure as Error).message.length).toBeLessThan(2000);
});

it.each([200, 500])('an answer without end is not kept (%d)', async (status) => {
  let sentBytes = 0;
  const lab = await labOf((_request, response) => {
    response.writeHead(status);
    const chunk = Buffer.alloc(1 << 20, '[');
    const more = (): void => {
      while (!response.destroyed && response.write(chunk)) sentBytes += chunk.byteLength;
    };
    response.on('drain', more);
    more();
  });
  await expect(lab.get('runs', runs)).rejects.toThrow(
    status === 200 ? /more than 67108864 bytes/ : /answers 500/,
  );
  expect(sentBytes).toBeLessThan(256 << 20);
});
