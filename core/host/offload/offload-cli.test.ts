import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { builtInScenario } from '../../offload';
import { runCli } from '../test-support/run-cli';
import type { CliAnswer } from '../test-support/run-cli';

let folder: string;
let checkpoint: string;
let log: string;
const cli = (...args: string[]): Promise<CliAnswer> =>
  runCli(join(folder, 'data'), ['offload', ...args, '--json']);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-offload-'));
  checkpoint = join(folder, 'factored.json');
  log = join(folder, 'decisions.db');
  const trained = await cli(
    'train',
    '--users',
    '2',
    '--steps',
    '250',
    '--checkpoint',
    checkpoint,
    '--log',
    log,
  );
  expect(trained.code).toBe(0);
  expect(trained.stderr).toContain('250 of 250 steps');
  expect(trained.json()).toMatchObject({ agent: 'factored', users: 2, steps: 250, checkpoint, log });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('sluice offload', () => {
  it('decides, says why, and lists what else there was', async () => {
    const answer = (await cli('decide', '--users', '2', '--checkpoint', checkpoint)).json();
    expect(answer).toMatchObject({ reason: 'best-known', pinnedUsers: [], thresholdPct: 89 });
    expect(answer['candidates']).toHaveLength(48);
    expect(answer['meanAccuracyPct']).toBeGreaterThanOrEqual(89 - 1e-6);
  });

  it('obeys pins and avoids what is down', async () => {
    const args = ['--users', '2', '--checkpoint', checkpoint, '--pin', '0=cloud:d0', '--down', 'edge'];
    const answer = (await cli('decide', ...args)).json();
    expect(answer['action']).toEqual(['cloud d0', expect.not.stringMatching(/^edge/) as string]);
    expect(answer['pinnedUsers']).toEqual([0]);
  });

  it('replays a log to the same decisions', async () => {
    const answer = (await cli('replay', '--users', '2', '--log', log)).json();
    expect(answer).toMatchObject({ agent: 'factored', decisions: 250, same: 250 });
  });

  it('goes on from a checkpoint with other users and a scenario of its own', async () => {
    const scenario = join(folder, 'mine.json');
    writeFileSync(scenario, JSON.stringify({ ...builtInScenario({ users: 3, links: 'B' }), name: 'mine' }));
    const answer = await cli('train', '--scenario', scenario, '--steps', '20', '--resume', checkpoint);
    expect(answer.json()).toMatchObject({ scenario: 'mine', users: 3, steps: 20 });
  });

  it('saves what was learned when interrupted', async () => {
    const path = join(folder, 'interrupted.json');
    const args = ['offload', 'train', '--steps', '100000000', '--checkpoint', path, '--json'];
    const answer = await runCli(join(folder, 'data'), args, /of 100000000 steps/);
    expect(answer.code).toBe(130);
    expect(answer.json()).toMatchObject({ error: { code: 'cancelled' } });
    expect((await cli('decide', '--checkpoint', path)).code).toBe(0);
  });

  it('refuses a damaged checkpoint and leaves it as it is', async () => {
    const path = join(folder, 'damaged.json');
    const damaged = readFileSync(checkpoint, 'utf8').replace('"steps":250', '"steps":251');
    writeFileSync(path, damaged);
    for (const args of [
      ['decide', '--users', '2', '--checkpoint', path],
      ['train', '--users', '2', '--steps', '5', '--checkpoint', path],
    ]) {
      const answer = await cli(...args);
      expect(answer.code).toBe(2);
      expect(answer.stdout).toMatch(/no usable checkpoint: its checksum is .*It was left as it is/);
      expect(readFileSync(path, 'utf8')).toBe(damaged);
    }
  });

  it.each([
    [['train', '--agent', 'sarsa'], 2, /Allowed choices are/],
    [['train', '--links', 'E'], 2, /expected one of A, B, C, D, found/],
    [['train', '--scenario', '/no/such.json'], 2, /There is no file/],
    [['train', '--agent', 'edge-only', '--checkpoint', '/tmp/never.json'], 1, /does not learn/],
    [['decide', '--checkpoint', '/no/such.json'], 2, /There is no file/],
    [['replay', '--log', '/no/such.db'], 2, /There is no decision log/],
  ] as const)('refuses %j', async (args, code, message) => {
    const answer = await cli(...args);
    expect(answer.code).toBe(code);
    expect(answer.stdout).toMatch(message);
  });

  it('refuses a pin of nothing, and a log of other users', async () => {
    const pin = await cli('decide', '--users', '2', '--checkpoint', checkpoint, '--pin', '0=moon:d0');
    expect(pin.stdout).toMatch(/expected USER=TIER:VARIANT with one of device:d0/);
    const users = await cli('replay', '--users', '3', '--log', log);
    expect(users.stdout).toMatch(/decisions are for 2 users, the scenario has 3/);
    const threshold = await cli('replay', '--users', '2', '--threshold', '85', '--log', log);
    expect(threshold.stdout).toMatch(/decided at threshold 89 %, asked for 85 %/);
  });
});
