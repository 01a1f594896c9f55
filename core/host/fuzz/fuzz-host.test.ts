import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';

import { encodeWire } from '../../contract';
import { HostProcess } from '../test-support/host-process';
import { WHOLE_INPUTS } from '../test-support/whole-inputs';

let folder: string;
let host: HostProcess;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-fuzz-'));
  host = await HostProcess.start(join(folder, 'data'), true);
});
afterAll(async () => {
  await host.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function open(): Promise<WebSocket> {
  const headers = { origin: host.origin, cookie: host.cookie };
  const socket = new WebSocket(`${host.origin.replace('http', 'ws')}/engine`, { headers });
  socket.on('error', () => undefined);
  await once(socket, 'open');
  return socket;
}

const sound = encodeWire({ id: 1, request: 'runs.start', input: WHOLE_INPUTS['runs.start'] });
/** A frame and whether it is text. */
const frame = fc.tuple(
  fc.oneof(
    fc.uint8Array({ maxLength: 400 }),
    fc
      .tuple(fc.nat(sound.length - 1), fc.nat(6), fc.uint8Array({ maxLength: 6 }))
      .map(([at, gone, put]) => Buffer.concat([sound.subarray(0, at), put, sound.subarray(at + gone)])),
  ),
  fc.boolean(),
);

describe('the engine behind a socket', () => {
  it('answers after whatever was sent to it, in the same process', async () => {
    const { pid } = await host.request('engine.info', {});
    await fc.assert(
      fc.asyncProperty(fc.array(frame, { minLength: 10, maxLength: 20 }), async (frames) => {
        for (const [bytes, isText] of frames) {
          const socket = await open();
          socket.send(isText ? Buffer.from(bytes).toString('latin1') : bytes, { binary: !isText });
          // Whether or not it is answered, it was read when this is.
          socket.send(encodeWire({ id: 2, request: 'no.such', input: {} }));
          await Promise.race([once(socket, 'close'), once(socket, 'message')]);
          socket.terminate();
        }
        expect(await host.request('engine.info', {})).toMatchObject({ pid });
      }),
      { numRuns: 6 },
    );
  });

  it('takes no memory for what a frame only declares', async () => {
    const before = (await host.request('engine.info', {})).pid;
    const bomb = Buffer.from(new Array(400).fill('dd01f78a40').join(''), 'hex');
    for (let count = 0; count < 20; count += 1) {
      const socket = await open();
      socket.send(bomb);
      const [code] = (await once(socket, 'close')) as [number];
      expect(code).toBe(1007);
    }
    expect((await host.request('engine.info', {})).pid).toBe(before);
  });
});
