import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { useConsoleServer, type Answer } from './test-support/console-server';
import { safeFileName } from './upload';

const ground = useConsoleServer();

describe('uploads', () => {
  const upload = async (name: string, body: Buffer): Promise<Answer> =>
    ground.ask(`/upload?name=${encodeURIComponent(name)}`, {
      method: 'POST',
      headers: { cookie: await ground.cookie(), origin: ground.origin },
      body,
    });

  it('keeps a file under its own name in a folder of its own', async () => {
    const answers = [
      await upload('my model.onnx', Buffer.from('one')),
      await upload('my model.onnx', Buffer.from('two')),
    ];
    const paths = answers.map(({ body }) => (JSON.parse(body) as { path: string }).path);
    expect(paths.map((path) => readFileSync(path, 'utf8'))).toEqual(['one', 'two']);
    expect(paths[0]).toMatch(/\/data\/uploads\/\d+-\d*\/[0-9a-f]{16}\/my-model\.onnx$/);
  });

  it('needs the cookie', async () => {
    const headers = { origin: ground.origin };
    expect(await ground.ask('/upload?name=m.onnx', { method: 'POST', headers })).toMatchObject({
      status: 401,
    });
  });

  it.each([
    ['told', {}],
    ['untold', { 'transfer-encoding': 'chunked' }],
  ])('refuses one that is too large, its size %s, and keeps nothing', async (_how, headers) => {
    const sending = ground.ask('/upload?name=big.onnx', {
      method: 'POST',
      headers: { cookie: await ground.cookie(), origin: ground.origin, ...headers },
      body: Buffer.alloc(5000),
    });
    expect(await sending).toMatchObject({ status: 400, body: expect.stringContaining('1000 B') as string });
    expect(existsSync(join(ground.folder, 'data', 'uploads'))).toBe(false);
  });

  it.each([
    ['../../etc/passwd', 'passwd'],
    ['C:\\models\\net.onnx', 'net.onnx'],
    ['.bashrc', 'bashrc'],
    ['a b\u0000c.onnx', 'a-b-c.onnx'],
  ])('%j is stored as %s', (name, stored) => expect(safeFileName(name)).toBe(stored));

  it.each(['', '..', '/', '///'])('%j is no name', (name) =>
    expect(() => safeFileName(name)).toThrow(/file name/),
  );
});
