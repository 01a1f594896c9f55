import { describe, expect, it } from 'vitest';

import { draftOf, faultsFrom, launchOf } from './launch-draft';
import type { LaunchDraft, LaunchField } from './launch-draft';

const LEAST = draftOf({ folder: '/home/ana/digits', entry: 'train.py' });

function read(part: Partial<LaunchDraft>) {
  return launchOf({ ...LEAST, ...part });
}

describe('a draft of a launch', () => {
  it('leaves out what was left empty, so that the lab’s defaults hold', () => {
    expect(read({})).toEqual({ launch: { folder: '/home/ana/digits', entry: 'train.py' } });
  });

  it('gives back what it began with', () => {
    const launch = {
      folder: '/home/ana/digits',
      entry: 'train.py',
      args: "--lr 0.01 --name 'a b'",
      dataset: 'digits@2',
      engine: 'slurm',
      priority: -3,
      limitMs: 90_000,
      environment: { OMP_NUM_THREADS: '2', TOKEN: 'a=b' },
      resources: { cpus: 0.5, gpus: 1, memoryBytes: 2 ** 31 },
    };
    expect(launchOf(draftOf(launch))).toEqual({ launch });
  });

  it.each<[LaunchField, string]>([
    ['folder', ''],
    ['folder', 'digits'],
    ['entry', ' '],
    ['entry', '/etc/passwd'],
    ['args', '--name "open'],
    ['args', "it's"],
    ['cpus', '0'],
    ['cpus', 'two'],
    ['gpus', '0.5'],
    ['gpus', '-1'],
    ['memory', 'much'],
    ['memory', '0'],
    ['priority', '101'],
    ['priority', '1.5'],
    ['limit', '0'],
    ['environment', 'A=1\nnot a variable'],
  ])('refuses %s %j at its field', (field, value) => {
    const outcome = read({ [field]: value });
    expect('faults' in outcome && Object.keys(outcome.faults)).toEqual([field]);
  });

  it.each([`--name "it's"`, String.raw`--name it\'s`, `'a "b"'`])('takes the arguments %s', (args) =>
    expect(read({ args })).toHaveProperty('launch.args', args),
  );

  it('takes windows’ paths, a comma for a point, and sizes with or without a unit', () => {
    expect(read({ folder: 'C:\\digits', cpus: '0,5', memory: '256' })).toHaveProperty('launch', {
      folder: 'C:\\digits',
      entry: 'train.py',
      resources: { cpus: 0.5, memoryBytes: 256 * 2 ** 20 },
    });
  });

  it('finds the fields of what the lab refuses', () => {
    const faults = [
      'entry: there is no x.py',
      'resources.gpus: this lab has none',
      'trials.environment.A: too long',
      'space.lr: not a field',
    ];
    const found = { entry: 'there is no x.py', gpus: 'this lab has none', environment: 'too long' };
    expect(faultsFrom({ code: 'bad-input', message: '', details: { faults } })).toEqual({
      faults: found,
      count: 3,
    });
    expect(faultsFrom({ code: 'io', message: 'The disk is full.', details: {} }).count).toBe(0);
  });
});
