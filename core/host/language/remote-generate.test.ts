import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from 'vitest';

import { workerFile } from '../../base';
import { tinyChatModel } from '../../llm/test-support/tiny-chat-model';
import { runCli } from '../test-support/run-cli';

const TOKEN = 'a-token-of-twenty-characters';
const REPLY_TOKENS = 600;

let folder: string;
let node: string;
let device: string;
let plain: string;
const prompt = 'What is far away need not be computed here once more. '.repeat(8);
const asked = ['generate', 'tiny', '--prompt', prompt, '--max-tokens', String(REPLY_TOKENS)];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-remote-generate-'));
  node = join(folder, 'node');
  device = join(folder, 'device');
  writeFileSync(join(folder, 'token'), `${TOKEN}\n`);
  const file = join(folder, 'tiny.gguf');
  writeFileSync(file, tinyChatModel());
  for (const data of [node, device]) {
    expect(await runCli(data, ['models', 'import', file])).toMatchObject({ code: 0 });
  }
  plain = String((await runCli(device, [...asked, '--json'])).json()['text']);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function startNode(): Promise<{ child: ChildProcess; remote: readonly string[] }> {
  const args = ['serve', '--tier', 'edge', '--port', '0', '--token-file', join(folder, 'token'), '--json'];
  const child = spawn(process.execPath, [workerFile('cli'), ...args], {
    env: { ...process.env, SLUICE_DATA_DIR: node },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
  const { url } = JSON.parse(chunk.toString('utf8')) as { url: string };
  const tokenFile = ['--remote-token-file', join(folder, 'token')];
  return { child, remote: ['--kv', 'vericache', '--remote', url, ...tokenFile] };
}

it('generates over what another node keeps, also after that was started anew', async () => {
  for (let start = 0; start < 2; start += 1) {
    const { child, remote } = await startNode();
    const answer = (await runCli(device, [...asked, ...remote, '--json'])).json();
    expect(answer['text']).toBe(plain);
    expect(answer['remoteTokens']).toBeGreaterThanOrEqual(384);
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    expect((await exited)[0]).toBe(0);
  }
});

it('goes on here when the node is killed in mid-generation', async () => {
  const { child, remote } = await startNode();
  const exited = once(child, 'exit');
  const reply = spawn(process.execPath, [workerFile('cli'), ...asked, ...remote], {
    env: { ...process.env, SLUICE_DATA_DIR: device },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  let log = '';
  reply.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8');
    child.kill('SIGKILL');
  });
  reply.stderr.on('data', (chunk: Buffer) => (log += chunk.toString('utf8')));
  const [code] = (await once(reply, 'close')) as [number];
  expect(code, log).toBe(0);
  expect((await exited)[1]).toBe('SIGKILL');
  expect(text.trimEnd()).toBe(plain.trimEnd());
});

it('says why a node is done without, and refuses one it may not ask', async () => {
  const gone = ['--kv', 'vericache', '--remote', 'http://127.0.0.1:9', '--json'];
  const answer = await runCli(device, [...asked, ...gone]);
  expect(answer.json()).toMatchObject({ text: plain, remoteTokens: 0 });
  expect(answer.stderr).toMatch(/127\.0\.0\.1:9 can't be reached .* Everything is computed here/);
  const { child, remote } = await startNode();
  const refused = await runCli(device, [...asked, ...remote.slice(0, 4), '--json']);
  expect(refused.json()).toMatchObject({ error: { code: 'unauthorized' } });
  const full = await runCli(device, [...asked, ...remote.slice(2), '--json']);
  expect(full.json()).toMatchObject({
    error: { code: 'bad-input', message: expect.stringMatching(/--kv/) as string },
  });
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
});
