import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { pathOfTestRun, openShelfLab, type ShelfLab } from '../../lab/test-support/shelf-lab';
import { runCli, type CliAnswer } from '../../test-support/run-cli';

let folder: string;
let at: ShelfLab;
let run: string;
const cli = (...args: string[]): Promise<CliAnswer> => runCli(join(folder, 'data'), ['lab', ...args]);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-model-cli-'));
  mkdirSync(join(folder, 'data'));
  at = await openShelfLab(join(folder, 'lab'));
  vi.stubEnv('SLUICE_USER', 'ann');
  vi.stubEnv('SLUICE_LAB_URL', at.api.url);
  vi.stubEnv('SLUICE_LAB_TOKEN', at.api.token);
  run = (await at.ran('ann')).name;
  await at.writeArtifact(run, 'model/net.onnx', 'weights');
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await at.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('sluice lab model', () => {
  it('registers, names, moves and removes versions', async () => {
    expect((await cli('model', 'list')).stdout).toMatch(/No models/);
    const args = ['model', 'register', run, 'model', '--name', 'digits net'];
    expect((await cli(...args, '--json')).json()).toMatchObject({
      name: 'digits net',
      versions: [{ version: 1, stage: 'None', runName: run, source: pathOfTestRun(at, run, 'model') }],
    });
    await cli(...args, '--description', 'again');
    expect((await cli('model', 'alias', 'digits net', '1', 'best', '--json')).json()).toMatchObject({
      versions: [
        { version: 2, aliases: [], description: 'again' },
        { version: 1, aliases: ['best'] },
      ],
    });
    await cli('model', 'stage', 'digits net', '2', 'production');
    expect((await cli('model', 'list')).stdout).toMatch(
      /digits net +2 +2 +Production +best=1 +ann\/none\/1\n/,
    );
    expect((await cli('model', 'show', 'digits net')).stdout).toMatch(/1 +None +best +ann\/none\/1 +runs:/);
    await cli('model', 'unalias', 'digits net', 'best');
    await cli('model', 'rm', 'digits net', '2');
    expect((await cli('model', 'show', 'digits net', '--json')).json()).toMatchObject({
      versions: [{ version: 1, aliases: [] }],
    });
    expect((await cli('model', 'rm', 'digits net')).stdout).toBe('Removed digits net.\n');
    expect((await cli('model', 'list', '--json')).json()).toEqual({ models: [] });
  });

  it.each<[readonly string[], RegExp]>([
    [['show', 'none'], /Registered model "none": there is none/],
    [['register', 'ann/none/9', 'model', '--name', 'a'], /"ann\/none\/9"/],
    [['register', 'ann/none/1', 'other.onnx', '--name', 'a'], /has no artifact "other\.onnx"/],
    [['register', 'ann/none/1', '../model', '--name', 'a'], /the step "\.\."/],
    [['register', 'ann/none/1', 'model', '--name', 'a/b'], /without "\/"/],
    [['register', 'ann/none/1', 'model'], /--name/],
    [['alias', 'none', 'x', 'best'], /version/],
    [['alias', 'none', '1', 'best'], /there is none/],
    [['stage', 'none', '1', 'Best'], /one of None, Staging/],
    [['rm', 'none'], /there is none/],
  ])('%j is refused', async (args, message) => {
    const refused = await cli('model', ...args);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toMatch(message);
  });
});

describe('sluice lab dataset gc', () => {
  it('tells what it freed, and of what', async () => {
    const data = join(folder, 'numbers');
    mkdirSync(data);
    writeFileSync(join(data, 'n.txt'), '1 2 3\n');
    await cli('dataset', 'push', 'numbers', data);
    expect((await cli('dataset', 'gc')).stdout).toBe('Freed 0 B.\n');
    await cli('dataset', 'rm', 'numbers');
    at.makeChunksOld();
    const { freedBytes, chunkBytes } = (await cli('dataset', 'gc', '--json')).json() as Record<
      string,
      number
    >;
    expect(freedBytes).toBe(chunkBytes);
    expect(chunkBytes).toBeGreaterThan('1 2 3\n'.length);
    await cli('dataset', 'push', 'numbers', data);
    await cli('dataset', 'rm', 'numbers');
    at.makeChunksOld();
    expect((await cli('dataset', 'gc')).stdout).toMatch(
      /^Freed \d+ B: \d+ B of files of datasets and code\.\n$/,
    );
  });
});
