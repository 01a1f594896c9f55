import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';

import { SluiceError } from '../../contract';
import { DAY_MS, RUN, by, definition, makeLab } from './test-support/fake-jobs';

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

  it('leave predictions until a later one is scored, and all else for a week', async () => {
    const { competitions, jobs, now, reopen } = makeLab();
    await competitions.create({ ...definition, submissionsPerDay: 9 }, 'host');
    const left = (): object => Object.fromEntries([...jobs.left].map(([key, what]) => [key, [...what]]));
    const submit = async (...which: Parameters<typeof by>): Promise<void> => {
      now.ms += 1;
      competitions.submit(by(...which));
      await competitions.settled();
    };
    await submit('ann', 5);
    await submit('ben', 5);
    // A dry run's predictions are of ten rows, and nobody asks for them again.
    await submit('ann', 5, true);
    await submit('ann', 7);
    jobs.inferFault = new SluiceError('runtime', 'predict.py ended with 1.');
    await submit('ben', 6);
    jobs.inferFault = undefined;
    expect(left()).toEqual({
      'submission-1': ['log'],
      'submission-2': ['log', 'predictions'],
      'submission-3': ['log'],
      'submission-4': ['log', 'predictions'],
      'submission-5': ['log'],
    });
    expect(competitions.hasJob('submission-1')).toBe(false);
    now.ms += 7 * DAY_MS - 3;
    await submit('cem', 1);
    expect(Object.keys(left())).toEqual(['submission-4', 'submission-5', 'submission-6']);
    now.ms += 8 * DAY_MS;
    const next = reopen();
    next.start();
    await next.settled();
    expect(left()).toEqual({});
    expect(next.board('digits')).toMatchObject([
      { user: 'ann', score: 0.28 },
      { user: 'ben', score: 0.2 },
      { user: 'cem' },
    ]);
  });

  it('leave alone what a submission that goes on needs, whatever is collected', async () => {
    const { competitions, jobs, now } = makeLab();
    await competitions.create(definition, 'host');
    competitions.submit(by('ann', 5));
    await competitions.settled();
    const infer = jobs.infer.bind(jobs);
    let goOn = (): void => undefined;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    vi.spyOn(jobs, 'infer').mockImplementation(async (request) => {
      const predictions = await infer(request);
      await held;
      return predictions;
    });
    competitions.submit(by('ann', 6));
    await vi.waitFor(() => expect(jobs.left.get('submission-2')).toContain('predictions'));
    now.ms += 30 * DAY_MS;
    expect(await competitions.prune()).toBeGreaterThan(0);
    expect([...jobs.left.keys()]).toEqual(['submission-2']);
    expect(competitions.hasJob('submission-2')).toBe(true);
    expect(competitions.hasJob('submission-2-score')).toBe(true);
    goOn();
    await competitions.settled();
    expect(competitions.board('digits')).toMatchObject([{ user: 'ann', score: 0.24 }]);
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
