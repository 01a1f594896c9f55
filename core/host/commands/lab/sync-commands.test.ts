import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { filesWithSecret } from '../../../storage/test-support/secret-in-files';
import { runCli, type CliAnswer } from '../../test-support/run-cli';
import { serveLab, type ServedLab } from '../../lab/connection/open-lab';
import { LAB_LIMITS } from '../../lab/connection/lab-connection';

const TOKEN = 'a-token-that-nobody-guesses';
let folder: string;
let far: ServedLab;
let near: ServedLab;
const cli = (...args: string[]): Promise<CliAnswer> => runCli(join(folder, 'data'), ['lab', 'sync', ...args]);

async function serve(name: string, token?: string): Promise<ServedLab> {
  const onFault = (message: string): void => expect.unreachable(message);
  const serving = { host: '127.0.0.1', port: 0, limits: LAB_LIMITS, ...(token !== undefined && { token }) };
  return serveLab({ folder: join(folder, name), onFault }, serving);
}

beforeAll(async () => {
  vi.stubEnv('SLUICE_LAB_URL', '');
  folder = mkdtempSync(join(tmpdir(), 'sluice-sync-cli-'));
  writeFileSync(join(folder, 'token'), `${TOKEN}\n`);
  far = await serve('far', TOKEN);
  near = await serve('data/lab');
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await near.close();
  await far.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('sluice lab sync', () => {
  it('adds a remote, forwards by itself and at once, lists and removes it', async () => {
    const { tracking } = near.lab;
    const { runId } = tracking.runs.create({ experimentId: '0', name: 'first' }).info;
    const points = [{ key: 'x', value: 1, step: 1, timestampMs: 1 }];
    tracking.logBatch({ runId, metrics: points, params: [], tags: [] });
    const added = await cli('add', 'cloud', far.address.url, '--token-file', join(folder, 'token'), '--json');
    expect(added.json()).toMatchObject({ name: 'cloud', kind: 'lab', hasToken: true });
    expect(added.stdout + added.stderr).not.toContain(TOKEN);

    // Neither the user's tokens nor the one that this machine's commands launch with are written down.
    for (const secret of [TOKEN, near.address.token, far.address.token]) {
      for (const data of ['data', 'far']) expect(filesWithSecret(join(folder, data), secret)).toEqual([]);
    }

    const forwarded = await cli('now', '--json');
    expect(forwarded).toMatchObject({ code: 0 });
    expect(forwarded.json()).toMatchObject({
      remotes: [{ name: 'cloud', status: { pending: { runs: 0, points: 0, files: 0 } } }],
    });
    expect([...far.lab.tracking.history(runId, 'x')]).toEqual([{ step: 1, timestampMs: 1, value: 1 }]);
    const listed = await cli('list');
    expect(listed.stdout).toMatch(/cloud +http:\S+ +a lab +all experiments +nothing +\S+Z: all sent/);
    expect((await cli('now', 'cloud')).stdout).toMatch(/^cloud got \d+ points of \d+ runs, 0 files \(0 B\)/);
    expect((await cli('remove', 'cloud')).stdout).toMatch(/Nothing is forwarded to cloud any more/);
    expect((await cli('list', '--json')).json()).toEqual({ remotes: [] });
  });

  it.each<[readonly string[], RegExp]>([
    [['add', 'cloud', 'ftp://host'], /expected http:\/\/HOST or https:\/\/HOST, found "ftp:\/\/host"/],
    [['add', '../cloud', 'http://127.0.0.1:1'], /name: expected a name of up to 64/],
    [['add', 'cloud', 'http://127.0.0.1:1', '--token-file', 'nothing-here'], /there is no file nothing-here/],
    [['now', 'nobody'], /There is no remote "nobody"/],
    [['remove', 'nobody'], /There is no remote "nobody"/],
  ])('%j is bad input', async (args, message) => {
    const refused = await cli(...args);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toMatch(message);
  });

  it('says that a token is missing', async () => {
    const refused = await cli('add', 'cloud', far.address.url);
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(/refuses the token \(HTTP 401\): add the remote again with --token-file/);
  });
});
