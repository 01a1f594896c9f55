import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { workerFile } from '../../../base';
import { OipClient } from '../../../serving';
import { RegisteredLab } from '../../lab/deployments/test-support/registered-lab';
import { inputOf, writeTestModel } from '../../publishing/test-support/models';
import { runCli } from '../../test-support/run-cli';
import type { CliAnswer } from '../../test-support/run-cli';

const TOKEN = 'a-deploy-token-of-some-length';

interface Endpoint {
  readonly child: ChildProcess;
  readonly url: string;
}

let folder: string;
let lab: RegisteredLab;
let endpoint: Endpoint;
let tokenFile: string;
const endpointData = (): string => join(folder, 'endpoint');
const cli = (...args: readonly string[]): Promise<CliAnswer> =>
  runCli(join(folder, 'data'), ['lab', ...args, '--json']);

async function startEndpoint(): Promise<Endpoint> {
  const args = ['serve', '--tier', 'edge', '--port', '0', '--deploy-token-file', tokenFile, '--json'];
  const child = spawn(process.execPath, [workerFile('cli'), ...args], {
    env: { ...process.env, SLUICE_DATA_DIR: endpointData() },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, url: (JSON.parse(chunk.toString('utf8')) as { url: string }).url };
}

async function stop({ child }: Endpoint, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}

async function ask(): Promise<string> {
  const client = new OipClient({ url: endpoint.url, retries: 0 });
  try {
    return (await client.infer({ model: 'net', inputs: inputOf(0.5) })).modelVersion;
  } finally {
    await client.close();
  }
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-lab-deploy-'));
  tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, `${TOKEN}\n`);
  lab = await RegisteredLab.start(join(folder, 'lab'));
  vi.stubEnv('SLUICE_LAB_URL', lab.api.url);
  vi.stubEnv('SLUICE_LAB_TOKEN', lab.api.token ?? '');
  await lab.registerFile('net', await writeTestModel(folder, 1));
  await lab.registerFile('net', await writeTestModel(folder, 2));
  await lab.setAlias('net', 'champion', 1);
  endpoint = await startEndpoint();
});
afterEach(async () => {
  await cli('unpublish', 'net', '--endpoint', endpoint.url, '--token-file', tokenFile);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await stop(endpoint, 'SIGTERM');
  await lab.close();
  rmSync(folder, { recursive: true, force: true });
});

const to = (): readonly string[] => ['--endpoint', endpoint.url, '--token-file', tokenFile];

describe('sluice lab publish', () => {
  it('publishes by alias, a canary of the newest, promotes and rolls back where it was published', async () => {
    const published = await cli('publish', 'net@champion', ...to());
    expect(published).toMatchObject({ code: 0 });
    expect(published.json()).toMatchObject({
      endpoint: endpoint.url,
      servedAs: 'net',
      stable: { version: 1, sharePct: 100, requests: 0 },
    });
    expect(await ask()).toBe('1');
    await cli('publish', 'net', '--canary', '20', ...to());
    expect((await cli('deployments')).json()).toMatchObject({
      deployments: [
        { servedAs: 'net', stable: { version: 1, requests: 1 }, canary: { version: 2, sharePct: 20 } },
      ],
    });
    expect((await cli('promote', 'net', '--canary', '60')).json()).toMatchObject({
      canary: { sharePct: 60 },
    });
    expect((await cli('promote', 'net')).json()).toMatchObject({
      stable: { version: 2 },
      previousVersion: 1,
    });
    expect(await ask()).toBe('2');
    const text = await runCli(join(folder, 'data'), ['lab', 'deployments']);
    expect(text.stdout).toMatch(/^net +net +2 stable +100% +1 +0 .*ready, before it version 1$/m);
    expect((await cli('rollback', 'net')).json()).toMatchObject({ stable: { version: 1 } });
    const host = new URL(endpoint.url).host;
    expect(await lab.tags('net', 1)).toEqual({ [`sluice.endpoint.${host}`]: 'net: stable' });
    expect(await lab.tags('net', 2)).toEqual({});
    expect(await cli('unpublish', 'net')).toMatchObject({ code: 0 });
    expect((await cli('deployments')).json()).toEqual({ deployments: [] });
  });

  it('says of a version that it is to be a variant, and how often it is right', async () => {
    const variant = { accuracyPct: 91.5, source: 'the board' };
    const said = ['--accuracy', '91.5', '--accuracy-source', 'the board'];
    expect((await cli('publish', 'net@1', ...to(), ...said)).json()).toMatchObject({
      servedAs: 'net',
      variant,
    });
    const records = (): unknown => JSON.parse(readFileSync(join(folder, 'data', 'deployments.json'), 'utf8'));
    expect(JSON.stringify(records())).toContain(JSON.stringify({ 1: variant }));
    // What answers already is known better.
    const better = await cli('publish', 'net@1', ...to(), '--accuracy', '95', '--accuracy-source', 'a test');
    expect(better.stderr).not.toContain('goes to');
    expect(JSON.stringify(records())).toContain(JSON.stringify({ 1: { accuracyPct: 95, source: 'a test' } }));
    const refused = await cli('publish', 'net@1', ...to(), '--accuracy', '91.5');
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.json()).toMatchObject({
      error: { code: 'bad-input', message: expect.stringContaining('--accuracy-source TEXT') as string },
    });
  });

  it('an endpoint that is killed in the middle of an upload goes on with the version before', async () => {
    await cli('publish', 'net@1', ...to());
    const upload = request(`${endpoint.url}/v2/repository/deployments/net/versions/2?sharePct=100`, {
      method: 'PUT',
      headers: {
        authorization: `Bearer ${TOKEN}`,
        'content-length': '1000000',
        'x-sluice-sha256': 'a'.repeat(64),
      },
    });
    upload.on('error', () => undefined);
    upload.write(Buffer.alloc(500_000));
    const uploads = join(endpointData(), 'published-uploads');
    await vi.waitFor(() => expect(bytesBelow(uploads)).toBeGreaterThan(0), { timeout: 20_000 });
    await stop(endpoint, 'SIGKILL');
    endpoint = await startEndpoint();
    expect(await ask()).toBe('1');
    expect(existsSync(uploads)).toBe(false);
    expect(await cli('publish', 'net@2', ...to())).toMatchObject({ code: 0 });
    expect(await ask()).toBe('2');
  });

  const BAD: readonly (readonly [string, readonly string[], number, string])[] = [
    ['a model that is not there', ['publish', 'nothing', '--endpoint', 'URL'], 2, 'not-found'],
    ['a version that is not there', ['publish', 'net@9', '--endpoint', 'URL'], 2, 'not-found'],
    ['an alias that is not there', ['publish', 'net@best', '--endpoint', 'URL'], 2, 'bad-input'],
    ['no token', ['publish', 'net', '--endpoint', 'URL'], 1, 'unauthorized'],
    ['no endpoint', ['publish', 'net'], 2, 'bad-input'],
    ['an endpoint that is no URL', ['publish', 'net', '--endpoint', 'box'], 2, 'bad-input'],
    ['more than all', ['publish', 'net', '--endpoint', 'URL', '--canary', '120'], 2, 'bad-input'],
    [
      'a canary of nothing',
      ['publish', 'net', '--endpoint', 'URL', '--canary', '5', '--token-file', 'TOKEN'],
      2,
      'not-found',
    ],
    [
      'a name that can be no folder',
      ['publish', 'net', '--endpoint', 'URL', '--as', 'a b', '--token-file', 'TOKEN'],
      2,
      'bad-input',
    ],
    ['what was never published', ['rollback', 'other'], 2, 'not-found'],
  ];
  it.each(BAD)('refuses %s', async (_what, args, code, error) => {
    const given = args.map((text) => text.replace('URL', endpoint.url).replace('TOKEN', tokenFile));
    const answer = await cli(...given);
    expect(answer).toMatchObject({ code });
    expect(answer.json()).toMatchObject({ error: { code: error } });
  });
});

function bytesBelow(root: string): number {
  if (!existsSync(root)) return 0;
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
}
