import { execFile } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { CompetitionLab, SECRET } from '../test-support/competition-lab';
import { spyProgram } from '../test-support/programs';

const TIMEOUT_MS = 120_000;
const isRoot = process.getuid?.() === 0;

let at: CompetitionLab;
beforeEach(async () => {
  at = await CompetitionLab.start();
}, TIMEOUT_MS);
afterEach(() => at.close(), TIMEOUT_MS);

const definition = {
  name: 'mod-3',
  dataset: { name: 'digits', version: 'latest' },
  hiddenPath: 'hidden/answers.csv',
  evaluator: 'accuracy',
};
const byProgram = {
  ...definition,
  evaluator: { command: ['node', 'hidden/score.mjs'] },
  metric: { name: 'right', direction: 'max' },
};

it(
  'a competition goes from its dataset to the board',
  async () => {
    const submit = (user: string | undefined, body: object): ReturnType<CompetitionLab['ask']> =>
      at.ask(user, 'competitions/mod-3/submissions', body);
    expect(await at.ask('host', 'competitions', definition)).toMatchObject({
      status: 201,
      body: { owner: 'host', dataset: { name: 'digits', version: '1' }, testPath: 'test/' },
    });
    const [ann, ben] = await Promise.all([
      at.train('ann', { 'broken.json': { isBroken: true }, 'model.json': { wrong: 5 } }),
      at.train('ben', { 'model.json': { wrong: 5 }, 'best.json': { wrong: 3 } }),
    ]);
    expect(await submit(undefined, { runId: ann.runId })).toMatchObject({ status: 401 });

    const dry = await submit('ann', { runId: ann.runId, isDryRun: true });
    expect(await at.ended('mod-3', 'ann', dry.body['id'])).toMatchObject({ state: 'scored', score: 0.5 });
    expect(at.lab.competitions.board('mod-3')).toEqual([]);

    const checkpoint = 'checkpoints/broken.json';
    const taken = [
      ['ann', await submit('ann', { runId: ann.runId })],
      ['ben', await submit('ben', { runId: ben.runId, checkpoint: 'checkpoints/model.json' })],
      ['ann', await submit('ann', { runId: ann.runId, checkpoint })],
      ['ann', await submit('ann', { runId: ann.runId, checkpoint: 'checkpoints/other.json' })],
    ] as const;
    const ended = await Promise.all(taken.map(([user, { body }]) => at.ended('mod-3', user, body['id'])));
    expect(ended).toMatchObject([
      { state: 'scored', score: 0.8 },
      { state: 'scored', score: 0.8 },
      { state: 'failed', error: expect.stringMatching(/exit code 3.*no such layer/s) as string },
      { state: 'failed', error: expect.stringMatching(/other\.json.*no such artifact/) as string },
    ]);
    const board = await at.ask('cem', 'competitions/mod-3/board');
    expect(board.body['rows']).toMatchObject([
      { rank: 1, user: 'ann', score: 0.8, submissions: 1 },
      { rank: 1, user: 'ben', score: 0.8, submissions: 1 },
    ]);
    const { body } = await at.ask('ben', 'competitions/mod-3/submissions');
    expect(body['submissions']).toMatchObject([{ user: 'ben', runId: ben.runId }]);

    const better = await submit('ben', { runId: ben.runId });
    await at.ended('mod-3', 'ben', better.body['id']);
    expect(at.lab.competitions.board('mod-3')).toMatchObject([
      { rank: 1, user: 'ben', score: 0.88 },
      { rank: 2, user: 'ann' },
    ]);
    expect(at.faults).toEqual([]);
  },
  TIMEOUT_MS,
);

it.each([
  ['another than the owner of the dataset', 'ann', {}, /hidden parts are for its evaluator alone/],
  ['a file that is not there', 'host', { hiddenPath: 'hidden/other.csv' }, /hiddenPath: expected a file/],
  ['answers that all can read', 'host', { hiddenPath: 'test/inputs.csv' }, /hiddenPath: .* is open to all/],
  ['no test part', 'host', { testPath: 'hidden' }, /testPath: expected files below hidden\//],
  [
    'answers of another kind',
    'host',
    { hiddenPath: 'hidden/answers.csv', evaluator: 'rmse', dataset: { name: 'words', version: '1' } },
    /hiddenPath: .*row 2: expected a finite number/,
  ],
  ['an unknown version', 'host', { dataset: { name: 'digits', version: '7' } }, /digits has no version "7"/],
])('a competition is not held by or with %s', async (_what, user, changes, message) => {
  await writeFile(join(at.folder, 'digits', 'hidden', 'answers.csv'), 'id,answer\na,cat\n');
  await at.lab.datasets.push({ name: 'host' }, 'words', join(at.folder, 'digits'), { hidden: ['hidden/'] });
  const { status, body } = await at.ask(user, 'competitions', { ...definition, ...changes });
  expect(status).toBeGreaterThanOrEqual(400);
  expect(body['message']).toMatch(message);
});

it(
  "a competition's own program scores, also after the lab was closed meanwhile",
  async () => {
    await at.ask('host', 'competitions', byProgram);
    const ann = await at.train('ann', { 'model.json': { wrong: 0 }, 'no.json': { wrong: 1 } });
    const path = 'competitions/mod-3/submissions';
    const first = await at.ask('ann', path, { runId: ann.runId, checkpoint: 'checkpoints/model.json' });
    const second = await at.ask('ann', path, { runId: ann.runId, checkpoint: 'checkpoints/no.json' });
    await at.lab.close();
    await at.open();
    expect(await at.ended('mod-3', 'ann', first.body['id'])).toMatchObject({ state: 'scored', score: 25 });
    expect(await at.ended('mod-3', 'ann', second.body['id'])).toMatchObject({
      state: 'failed',
      error: "The predictions can't be scored: none is no number",
    });
    const keys = at.lab.queue.ended(100).map(({ key }) => key);
    expect(keys.filter((key) => key.startsWith('submission-')).sort()).toEqual([
      'submission-1',
      'submission-1-score',
      'submission-2',
      'submission-2-score',
    ]);
    const left = await readdir(join(at.labFolder, 'submissions'), { recursive: true });
    expect(left.filter((name) => name.startsWith('rooms/'))).toEqual([]);
  },
  TIMEOUT_MS,
);

it(
  'a program that looks for the answers finds none',
  async () => {
    const hiddenUrl = `${at.url}/datasets/digits/versions/1/manifest?hidden=true`;
    // As the same user it can read the lab's store: what is asked here is that nothing leads it there.
    const folders = isRoot ? [at.labFolder] : [];
    await writeFile(join(at.codeFolder, 'spy.mjs'), spyProgram(SECRET, folders, hiddenUrl));
    await at.ask('host', 'competitions', definition);
    const ann = await at.train('ann', { 'model.json': { wrong: 0 } }, 'spy.mjs');
    const { body } = await at.ask('ann', 'competitions/mod-3/submissions', { runId: ann.runId });
    expect(await at.ended('mod-3', 'ann', body['id'])).toMatchObject({ state: 'scored', score: 1 });

    const log = await readFile(join(at.labFolder, 'submissions', 'submission-1', 'log.txt'), 'utf8');
    const report = reportIn(log);
    expect(report).toMatchObject({ found: [], elsewhere: 0 });
    expect(['unreachable', 401]).toContain(report['answer']);
    if (!isRoot) return;
    expect(report['uid']).not.toBe(0);
    // The same search by the server's own user: the secret is there to be found.
    const own = await promisify(execFile)('node', ['spy.mjs', '--predict'], {
      cwd: at.codeFolder,
      env: { PATH: process.env['PATH'] },
    });
    expect(reportIn(own.stdout)['found']).not.toEqual([]);
  },
  TIMEOUT_MS,
);

function reportIn(log: string): Record<string, unknown> {
  return JSON.parse(/^SPY (.*)$/m.exec(log)?.[1] ?? '{}') as Record<string, unknown>;
}
