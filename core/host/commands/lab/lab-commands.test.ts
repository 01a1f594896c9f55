import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { runCli, type CliAnswer } from '../../test-support/run-cli';

let folder: string;
let code: string;
const cli = (...args: string[]): Promise<CliAnswer> => runCli(join(folder, 'data'), ['lab', ...args]);
const train = (...more: string[]): Promise<CliAnswer> =>
  cli('run', '--folder', code, '-e', 'train.sh', '--json', ...more);

beforeAll(async () => {
  vi.stubEnv('SLUICE_USER', 'ann');
  vi.stubEnv('SLUICE_LAB_URL', '');
  folder = mkdtempSync(join(tmpdir(), 'sluice-lab-cli-'));
  code = join(folder, 'code');
  mkdirSync(code);
  writeFileSync(
    join(code, 'train.sh'),
    'cat "${SLUICE_DATASET:-/dev/null}"/*; echo "$*"; [ "$1" != fail ]\n',
  );
  mkdirSync(join(folder, 'numbers'));
  writeFileSync(join(folder, 'numbers', 'n.txt'), '1 2 3\n');
  const pushed = await cli('dataset', 'push', 'numbers', join(folder, 'numbers'), '--json');
  expect(pushed.json()).toMatchObject({ name: 'numbers', version: { number: 1, files: 1 }, sentChunks: 1 });
  // One after the other: without a server each command is one.
  expect(await train('-d', 'numbers', '--args', "--name 'two words'")).toMatchObject({ code: 0 });
  expect(await train('-d', 'numbers@1', '--', 'fail', '--now')).toMatchObject({ code: 1 });
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

describe('sluice lab, without a server', () => {
  it('runs a program to its end: its output on stderr, one document on stdout', async () => {
    const ran = await train('-d', 'numbers', '--', 'more');
    expect(ran.stderr).toContain('1 2 3\nmore\n');
    expect(ran.json()).toMatchObject({ name: 'ann/numbers/3', state: 'succeeded', args: ['more'] });
    const plain = await cli('run', '--folder', code, '-e', 'train.sh', '--', 'plain');
    expect(plain).toMatchObject({ code: 0, stdout: expect.stringContaining('plain\n') as string });
    expect(plain.stdout).toMatch(/ann\/none\/1: succeeded\n$/);
  });

  it('lists runs', async () => {
    expect((await cli('ps', '--json')).json()).toEqual({ runs: [] });
    const { runs } = (await cli('ps', '--all', '--json')).json() as { runs: readonly object[] };
    expect(runs).toContainEqual(
      expect.objectContaining({ name: 'ann/numbers/1', state: 'succeeded', args: ['--name', 'two words'] }),
    );
    expect(runs).toContainEqual(
      expect.objectContaining({ name: 'ann/numbers/2', state: 'failed', exitCode: 1 }),
    );
    expect((await cli('ps', '--all')).stdout).toMatch(/ann\/numbers\/2 +failed, exit code 1/);
    expect((await cli('ps', '--all', '--user', 'nobody', '--json')).json()).toEqual({ runs: [] });
  });

  it('shows what a run wrote, and what two do not have in common', async () => {
    expect((await cli('logs', 'ann/numbers/2')).stdout).toBe('1 2 3\nfail --now\n');
    expect((await cli('logs', '-f', 'ann/numbers/1', '--json')).json()).toEqual({
      log: '1 2 3\n--name two words\n',
    });
    const { differences } = (await cli('diff', 'ann/numbers/1', 'ann/numbers/2', '--json')).json();
    expect(differences).toEqual([
      { what: 'args.--name', from: 'two words' },
      { what: 'args.1', to: 'fail' },
      { what: 'args.--now', to: 'given' },
    ]);
  });

  it('lists and verifies datasets', async () => {
    expect((await cli('dataset', 'list', '--json')).json()).toMatchObject({
      datasets: [{ name: 'numbers', owner: 'ann', versions: [{ number: 1 }] }],
    });
    expect((await cli('dataset', 'verify', 'numbers', '--json')).json()).toMatchObject({ damaged: [] });
    expect(await cli('dataset', 'verify', 'numbers')).toMatchObject({
      code: 0,
      stdout: 'numbers is whole.\n',
    });
  });

  it.each<[string, readonly string[], string, RegExp]>([
    ['a run without its server', ['--detach'], 'bad-input', /--detach: no server/],
    ['an unknown dataset', ['-d', 'nothing'], 'not-found', /no dataset "nothing"/],
    ['arguments with an open quote', ['--args', "'a"], 'bad-input', /expected a closing '/],
    ['a variable without a value', ['--env', 'A'], 'bad-input', /expected NAME=VALUE/],
    ['a priority that is no number', ['--priority', 'high'], 'bad-input', /priority/],
  ])('refuses %s', async (_what, more, errorCode, message) => {
    const refused = await train(...more);
    expect(refused.code).toBe(2);
    expect(refused.json()).toMatchObject({
      error: { code: errorCode, message: expect.stringMatching(message) as string },
    });
  });

  it('prints the details of what the lab refuses', async () => {
    const refused = await cli('diff', 'x'.repeat(400), 'ann/numbers/1', '--json');
    expect(refused.json()).toMatchObject({
      error: {
        code: 'bad-input',
        details: { faults: [expect.stringMatching(/^from: .*300 characters/) as string] },
      },
    });
  });

  it.each<[readonly string[], RegExp]>([
    [['logs', 'ann/numbers/99'], /No run "ann\/numbers\/99" was launched here/],
    [['dataset', 'verify', 'nothing'], /no dataset "nothing"/],
    [['run', '-e', '../train.sh'], /a path that leaves it/],
    [['run'], /entry/],
  ])('%j is bad input', async (args, message) => {
    const refused = await cli(...args);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toMatch(message);
  });
});
