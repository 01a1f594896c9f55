import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';

import { SluiceError } from '../../contract';
import { DEFAULT_LIMITS, type Listener } from '../../serving';
import { competitionRoutes } from '../server/competition-routes';
import { startLabServer } from '../server/lab-server';
import { LabDatabase } from '../store/lab-database';
import { rankBoard } from './board';
import { COMPETITIONS_SCHEMA, CompetitionStore } from './competition-store';
import { Competitions } from './competitions';
import type { CompetitionDefinition } from './definition';
import type { EvaluationRequest, InferenceRequest, SubmissionJobs } from './submission-jobs';
import type { TableText } from './prediction-table';

const DAY_MS = 86_400_000;
const RUN = 'ab'.repeat(16);
const ROWS = 25;
const definition = {
  name: 'digits',
  dataset: { name: 'digits', version: '3' },
  hiddenPath: 'hidden/answers.csv',
  evaluator: 'accuracy',
  submissionsPerDay: 3,
};

/** Models are right in as many rows as their checkpoint says. */
class FakeJobs implements SubmissionJobs {
  readonly asked: InferenceRequest[] = [];
  readonly evaluated: EvaluationRequest[] = [];
  inferFault: Error | undefined;
  evaluateFault: Error | undefined;
  answers: TableText = {
    format: 'csv',
    text: `id,answer\n${Array.from({ length: ROWS }, (_, id) => `r${id},${id % 3}`).join('\n')}`,
  };

  check(asked: CompetitionDefinition): Promise<CompetitionDefinition> {
    return Promise.resolve(asked);
  }
  infer(request: InferenceRequest): Promise<TableText> {
    this.asked.push(request);
    if (this.inferFault) return Promise.reject(this.inferFault);
    const ids = request.onlyIds ?? Array.from({ length: ROWS }, (_, id) => `r${id}`);
    const right = Number(request.checkpoint);
    const lines = ids.map((id, row) => `${id},${row < right ? Number(id.slice(1)) % 3 : 9}`);
    return Promise.resolve({ format: 'csv', text: ['id,prediction', ...lines].join('\n') });
  }
  readAnswers(): Promise<TableText> {
    return Promise.resolve(this.answers);
  }
  evaluate(request: EvaluationRequest): Promise<number> {
    this.evaluated.push(request);
    return this.evaluateFault ? Promise.reject(this.evaluateFault) : Promise.resolve(0.25);
  }
}

function makeLab(startMs = 1000 * DAY_MS): {
  now: { ms: number };
  jobs: FakeJobs;
  faults: SluiceError[];
  competitions: Competitions;
  reopen: () => Competitions;
} {
  const now = { ms: startMs };
  const jobs = new FakeJobs();
  const faults: SluiceError[] = [];
  const store = new CompetitionStore(LabDatabase.open(':memory:', [COMPETITIONS_SCHEMA]));
  const clock = { nowMs: () => now.ms, after: () => () => undefined };
  const reopen = (): Competitions =>
    new Competitions({ store, jobs, clock, onFault: (error) => faults.push(error) });
  return { now, jobs, faults, competitions: reopen(), reopen };
}

const by = (user: string, right: number, isDryRun = false): Parameters<Competitions['submit']>[0] => ({
  competition: 'digits',
  user,
  runId: RUN,
  checkpoint: String(right),
  isDryRun,
});

describe('the board', () => {
  const scored = fc.array(
    fc.record({
      user: fc.constantFrom('ann', 'ben', 'cem', 'dee', 'eve'),
      score: fc.integer({ min: 0, max: 4 }),
      submittedMs: fc.nat(5),
    }),
  );

  it('ranks the best of each user by how many users are better, the earlier of equals first', () => {
    fc.assert(
      fc.property(scored, fc.constantFrom('max', 'min'), (entries, direction) => {
        const all = entries.map((entry, id) => ({ id, ...entry }));
        const board = rankBoard(all, direction);
        const isBetter = (a: number, b: number): boolean => (direction === 'max' ? a > b : a < b);
        expect(board.map(({ user }) => user).sort()).toEqual(
          [...new Set(all.map(({ user }) => user))].sort(),
        );
        for (const [place, row] of board.entries()) {
          const own = all.filter(({ user }) => user === row.user);
          expect(own.some(({ score }) => isBetter(score, row.score))).toBe(false);
          const reached = own
            .filter(({ score }) => score === row.score)
            .map(({ submittedMs }) => submittedMs);
          expect(row.submittedMs).toBe(Math.min(...reached));
          expect(row.submissions).toBe(own.length);
          expect(row.rank).toBe(1 + board.filter(({ score }) => isBetter(score, row.score)).length);
          const below = board[place + 1];
          if (below?.rank === row.rank) expect(below.submittedMs).toBeGreaterThanOrEqual(row.submittedMs);
        }
        expect(rankBoard([...all].reverse(), direction)).toEqual(board);
      }),
    );
  });

  it('numbers ties 1, 2, 2, 4', () => {
    const scores = [0.5, 0.9, 0.7, 0.7];
    const entries = scores.map((score, id) => ({ id, user: `u${id}`, score, submittedMs: 10 - id }));
    expect(rankBoard(entries, 'max').map(({ rank, user }) => [rank, user])).toEqual([
      [1, 'u1'],
      [2, 'u3'],
      [2, 'u2'],
      [4, 'u0'],
    ]);
  });
});

describe('Competitions', () => {
  it('score a submission, rank the best of each user, and keep the history to its user', async () => {
    const { competitions, now, jobs } = makeLab();
    await competitions.create(definition, 'host');
    for (const [user, right] of [
      ['ann', 10],
      ['ben', 20],
      ['ann', 20],
      ['cem', 5],
    ] as const) {
      now.ms += 1000;
      expect(competitions.submit(by(user, right)).state).toBe('queued');
      await competitions.settled();
    }
    expect(
      competitions
        .board('digits')
        .map(({ rank, user, score, submissions }) => [rank, user, score, submissions]),
    ).toEqual([
      [1, 'ben', 0.8, 1],
      [1, 'ann', 0.8, 2],
      [3, 'cem', 0.2, 1],
    ]);
    expect(competitions.history('digits', 'ann')).toMatchObject([
      { id: 3, state: 'scored', score: 0.8, runId: RUN, checkpoint: '20' },
      { id: 1, state: 'scored', score: 0.4 },
    ]);
    expect(jobs.asked.map(({ key }) => key)).toEqual([1, 2, 3, 4].map((id) => `submission-${id}`));
    // No answer is among what a job is given.
    expect(JSON.stringify(jobs.asked)).not.toContain('r0,0');
  });

  it('take a dry run of 10 rows that is not ranked and does not count', async () => {
    const { competitions, jobs } = makeLab();
    await competitions.create(definition, 'host');
    for (let run = 0; run < 5; run += 1) competitions.submit(by('ann', 7, true));
    await competitions.settled();
    expect(new Set(jobs.asked.map(({ onlyIds }) => onlyIds?.join()))).toEqual(
      new Set([Array.from({ length: 10 }, (_, id) => `r${id}`).join()]),
    );
    expect(competitions.history('digits', 'ann').map(({ score }) => score)).toEqual([
      0.7, 0.7, 0.7, 0.7, 0.7,
    ]);
    expect(competitions.board('digits')).toEqual([]);
    expect(competitions.leftToday('digits', 'ann')).toBe(3);
  });

  it('take so many a day of each user, whatever the times', async () => {
    const step = fc.record({
      user: fc.constantFrom('ann', 'ben'),
      waitMs: fc.nat(DAY_MS / 2),
      isDryRun: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.nat(DAY_MS), async (steps, startMs) => {
        const { competitions, now } = makeLab(1000 * DAY_MS + startMs);
        await competitions.create(definition, 'host');
        const taken = new Map<string, number>();
        for (const { user, waitMs, isDryRun } of steps) {
          now.ms += waitMs;
          const day = `${user} ${new Date(now.ms).toISOString().slice(0, 10)}`;
          const before = taken.get(day) ?? 0;
          expect(competitions.leftToday('digits', user)).toBe(3 - before);
          if (isDryRun || before < 3) competitions.submit(by(user, 1, isDryRun));
          else expect(() => competitions.submit(by(user, 1))).toThrow(/3 submissions a day/);
          if (!isDryRun) taken.set(day, Math.min(3, before + 1));
        }
        await competitions.settled();
      }),
      { numRuns: 50 },
    );
  });

  it('begin the next day at midnight UTC, and say when', async () => {
    const { competitions, now } = makeLab(Date.parse('2030-05-04T23:59:59.000Z'));
    await competitions.create(definition, 'host');
    for (let run = 0; run < 3; run += 1) competitions.submit(by('ann', 1));
    const refusal = {
      code: 'conflict',
      details: { errorCode: 'REQUEST_LIMIT_EXCEEDED', retryAfterSec: 1 },
      message: expect.stringContaining('2030-05-05T00:00:00.000Z') as string,
    };
    expect(() => competitions.submit(by('ann', 1))).toThrow(expect.objectContaining(refusal) as Error);
    now.ms += 999;
    expect(() => competitions.submit(by('ann', 1))).toThrow(/3 submissions a day/);
    now.ms += 1;
    expect(competitions.submit(by('ann', 1)).state).toBe('queued');
  });

  it('take nothing after the deadline, and score what came before', async () => {
    const { competitions, now } = makeLab();
    const deadline = new Date(now.ms + 1000).toISOString();
    await competitions.create({ ...definition, deadline }, 'host');
    now.ms += 1000;
    competitions.submit(by('ann', 5));
    now.ms += 1;
    expect(() => competitions.submit(by('ben', 5))).toThrow(/"digits" ended at 1972-09-27T00:00:01.000Z/);
    await competitions.settled();
    expect(competitions.board('digits')).toHaveLength(1);
    await expect(competitions.create({ ...definition, name: 'late', deadline }, 'host')).rejects.toThrow(
      /a time to come/,
    );
  });

  it.each([
    [
      'its own fault',
      new SluiceError('runtime', 'predict.py ended with 1.'),
      'predict.py ended with 1.',
      2,
      0,
    ],
    ['a fault of the lab', new SluiceError('unavailable', 'No node is up.'), 'No node is up.', 3, 1],
  ])('fail with %s, which counts or not', async (_what, fault, error, left, reported) => {
    const { competitions, jobs, faults } = makeLab();
    await competitions.create(definition, 'host');
    jobs.inferFault = fault;
    competitions.submit(by('ann', 1));
    await competitions.settled();
    expect(competitions.history('digits', 'ann')).toMatchObject([{ state: 'failed', error }]);
    expect(competitions.leftToday('digits', 'ann')).toBe(left);
    expect(faults).toHaveLength(reported);
    expect(competitions.board('digits')).toEqual([]);
  });

  it('show nobody what an evaluator says, except of bad predictions', async () => {
    const { competitions, jobs, faults } = makeLab();
    const command = ['python', 'score.py'];
    const metric = { name: 'bleu', direction: 'max' };
    await competitions.create({ ...definition, evaluator: { command }, metric }, 'host');
    const errors: (string | undefined)[] = [];
    for (const fault of [
      undefined,
      new Error('r3 should be "secret"'),
      new SluiceError('bad-input', 'Row 3 is no text.'),
    ]) {
      jobs.evaluateFault = fault;
      const { id } = competitions.submit(by('ann', 1));
      await competitions.settled();
      errors.push(competitions.history('digits', 'ann').find((one) => one.id === id)?.error);
    }
    expect(errors).toEqual([
      undefined,
      'The evaluator of this competition failed. Tell whoever created it.',
      'Row 3 is no text.',
    ]);
    expect(faults.map(({ cause }) => (cause as Error).message)).toEqual(['r3 should be "secret"']);
    expect(jobs.evaluated[0]).toMatchObject({ command, key: 'submission-1' });
    expect(competitions.board('digits')).toMatchObject([{ user: 'ann', score: 0.25 }]);
    expect(competitions.leftToday('digits', 'ann')).toBe(1);
  });

  it('go on after the process ended with what it had taken, under the same keys', async () => {
    const { competitions, jobs, reopen } = makeLab();
    await competitions.create(definition, 'host');
    competitions.submit(by('ann', 5));
    competitions.submit(by('ben', 6, true));
    competitions.close();
    await competitions.settled();
    const [unended] = competitions.history('digits', 'ann');
    expect(unended?.endedMs).toBeUndefined();
    const next = reopen();
    next.start();
    next.start();
    await next.settled();
    expect(next.board('digits')).toMatchObject([{ user: 'ann', score: 0.2 }]);
    expect(next.history('digits', 'ben')).toMatchObject([{ state: 'scored', isDryRun: true }]);
    expect(jobs.asked.map(({ key }) => key).sort()).toEqual([
      'submission-1',
      'submission-1',
      'submission-2',
      'submission-2',
    ]);
    expect(next.leftToday('digits', 'ann')).toBe(2);
  });

  it.each([
    [
      'several faults',
      { name: 'A b', submissionsPerDay: 0, dataset: {} },
      /name: expected lower-case.*dataset\.name: .*submissionsPerDay: /,
    ],
    [
      'a way out of the dataset',
      { hiddenPath: 'hidden/../../answers.csv' },
      /hiddenPath: expected a path inside/,
    ],
    ['an unreadable format', { hiddenPath: 'answers.parquet' }, /ends with \.csv or \.jsonl/],
    ['an unknown evaluator', { evaluator: 'bleu' }, /evaluator: expected one of accuracy, macro-f1, rmse/],
    [
      'a program without a metric',
      { evaluator: { command: ['x'] } },
      /metric: expected its name and direction/,
    ],
    [
      'a direction upside down',
      { metric: { name: 'acc', direction: 'min' } },
      /metric\.direction: accuracy is better at its max/,
    ],
    ['a vague deadline', { deadline: 'tomorrow' }, /deadline: expected a time such as/],
    ['a test part elsewhere', { testPath: '../test' }, /testPath: expected a folder inside/],
    ['no time', { inference: { limitMinutes: 0 } }, /inference\.limitMinutes: /],
  ])('refuse to be made with %s', async (_what, changes, message) => {
    const made = makeLab().competitions.create({ ...definition, ...changes }, 'host');
    await expect(made).rejects.toThrow(message);
  });
});

describe('the competition routes', () => {
  let listener: Listener | undefined;
  afterEach(() => listener?.close());

  it('list, create, submit, and show the board to all and the history to its user', async () => {
    const { competitions } = makeLab();
    const userOf = ({ headers }: { headers: Record<string, unknown> }): string => String(headers['x-user']);
    const routes = [competitionRoutes(competitions, userOf)];
    listener = await startLabServer({
      routes,
      token: undefined,
      host: '127.0.0.1',
      port: 0,
      limits: DEFAULT_LIMITS,
    });
    const root = `http://127.0.0.1:${listener.port}/api/sluice/competitions`;
    const call = async (path: string, user: string, body?: unknown): Promise<[number, unknown]> => {
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      const init = body === undefined ? {} : { method: 'POST', body: text };
      const response = await fetch(root + path, { headers: { 'x-user': user }, ...init });
      return [response.status, await response.json()];
    };
    expect(await call('', 'host', definition)).toMatchObject([201, { name: 'digits', owner: 'host' }]);
    expect(await call('', 'host', definition)).toMatchObject([
      400,
      { error_code: 'RESOURCE_ALREADY_EXISTS' },
    ]);
    expect(await call('', 'host', '{')).toMatchObject([400, { error_code: 'INVALID_PARAMETER_VALUE' }]);
    expect(await call('/digits/submissions', 'ann', { runId: RUN, checkpoint: '5' })).toMatchObject([
      202,
      { id: 1, state: 'queued', user: 'ann' },
    ]);
    expect(await call('/digits/submissions', 'ann', { runId: '../x', dry: 1 })).toMatchObject([
      400,
      { message: expect.stringMatching(/runId: expected the 32 .*dry/) as string },
    ]);
    await competitions.settled();
    expect(await call('/digits/board', 'ben')).toMatchObject([
      200,
      { metric: { name: 'accuracy', direction: 'max' }, rows: [{ rank: 1, user: 'ann', score: 0.2 }] },
    ]);
    expect(await call('/digits/submissions', 'ann')).toMatchObject([
      200,
      { submissions: [{ id: 1, score: 0.2 }] },
    ]);
    expect(await call('/digits/submissions', 'ben')).toEqual([200, { submissions: [] }]);
    const [, one] = await call('/digits', 'ann');
    expect(one).toMatchObject({ evaluator: 'accuracy', leftToday: 2 });
    expect(await call('', 'ben')).toMatchObject([200, { competitions: [{ name: 'digits' }] }]);
    expect(JSON.stringify(await call('', 'ben'))).not.toContain('hidden');
    expect(await call('/nothing/board', 'ben')).toMatchObject([
      404,
      { error_code: 'RESOURCE_DOES_NOT_EXIST' },
    ]);
    for (let more = 0; more < 2; more += 1)
      await call('/digits/submissions', 'ann', { runId: RUN, checkpoint: '1' });
    expect(await call('/digits/submissions', 'ann', { runId: RUN })).toMatchObject([
      400,
      { error_code: 'REQUEST_LIMIT_EXCEEDED' },
    ]);
    await competitions.settled();
  });
});
