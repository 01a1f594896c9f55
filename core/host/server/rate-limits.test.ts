import { describe, expect, it } from 'vitest';

import type { HostRates } from './rate-limits';
import { useConsoleServer, type Answer } from './test-support/console-server';

const ground = useConsoleServer();

describe('limits', () => {
  const start = async (rates: Partial<HostRates>): Promise<void> => {
    await ground.stop();
    await ground.start(rates);
  };

  it('strangers may ask so often, those with a session always', async () => {
    await start({ strangers: { count: 3, perSec: 600 } });
    const own = await ground.cookie();
    const asked = [await ground.ask('/'), await ground.ask('/login.css'), await ground.ask('/')];
    expect(asked.map(({ status }) => status)).toEqual([401, 200, 429]);
    expect(await ground.ask('/', { headers: { cookie: own } })).toMatchObject({ status: 200 });
    // What another site's page asks for is not counted as its visitor's.
    expect(await ground.ask('/', { headers: { origin: 'http://evil.example' } })).toMatchObject({
      status: 403,
    });
  });

  it('uploads are counted by session', async () => {
    await start({ uploads: { count: 1, perSec: 600 } });
    const upload = (own: string): Promise<Answer> =>
      ground.ask('/upload?name=a.onnx', {
        method: 'POST',
        headers: { cookie: own, origin: ground.origin },
        body: Buffer.from('a'),
      });
    const own = await ground.cookie();
    expect((await upload(own)).status).toBe(200);
    expect(await upload(own)).toMatchObject({
      status: 429,
      headers: { 'retry-after': expect.any(String) as string },
    });
    expect((await upload(await ground.cookie())).status).toBe(200);
  });

  it('headers have a limit', async () => {
    expect(await ground.ask('/', { headers: { 'x-long': 'x'.repeat(20_000) } })).toMatchObject({
      status: 431,
    });
  });
});
