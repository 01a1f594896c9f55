import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { LaunchRequest } from './run-types';
import { LabGround, PLAN } from './test-support/lab-ground';

/** Runs until the test writes a file. */
const WAITS = 'echo ready; while [ ! -e go ]; do sleep 0.05; done; echo went on';

let ground: LabGround;
beforeAll(async () => {
  ground = await LabGround.make();
  const numbers = ground.folder({ 'numbers.txt': '1 2 3\n' });
  await ground.lab.datasets.push({ name: 'ann' }, 'numbers', numbers);
});
afterAll(() => ground.close());

const recordOf = (runId: string) => ground.lab.tracking.runs.get(runId);

describe('a launched run', () => {
  it('finds its data and its record, and stays with what it was made from', async () => {
    const run = await ground.ran(
      'cat "$SLUICE_DATASET/numbers.txt"; echo "$SLUICE_RUN $MLFLOW_RUN_ID $1 $LR"',
      {
        dataset: 'numbers',
        args: ['an argument'],
        environment: { LR: '0.1' },
      },
    );
    expect(run).toMatchObject({
      name: 'ann/numbers/1',
      state: 'succeeded',
      exitCode: 0,
      attempt: 1,
      dataset: { name: 'numbers', number: 1 },
      code: { files: 1 },
      args: ['an argument'],
      environment: { LR: '0.1' },
    });
    expect(await ground.logText(run)).toBe(`1 2 3\nann/numbers/1 ${run.runId} an argument 0.1\n`);
    const { info, tags } = recordOf(run.runId);
    expect(info).toMatchObject({ name: 'ann/numbers/1', status: 'FINISHED', userId: 'ann' });
    expect(info.endMs).toBe(Math.floor(run.endedMs!));
    expect(tags).toContainEqual({ key: 'sluice.args', value: '["an argument"]' });
    expect(ground.lab.runs.get('ann/numbers/1')).toEqual(run);
  });

  it.each([
    ['exit 0', 'succeeded', 'FINISHED', { exitCode: 0 }],
    ['exit 3', 'failed', 'FAILED', { exitCode: 3 }],
    ['kill -SEGV $$', 'failed', 'FAILED', { signal: 'SIGSEGV' }],
  ])('that does "%s" has %s', async (script, state, status, facts) => {
    const run = await ground.ran(script);
    expect(run).toMatchObject({ state, ...facts });
    expect(recordOf(run.runId).info.status).toBe(status);
  });

  it('is neither resumed nor removed while it goes on, and is killed when it is stopped', async () => {
    const launched = await ground.launch(WAITS);
    await ground.untilLog(launched, 'ready');
    expect(recordOf(launched.runId).info.status).toBe('RUNNING');
    const { runs } = ground.lab;
    await expect(runs.remove(launched.name)).rejects.toMatchObject({ code: 'conflict' });
    await expect(runs.resume(launched.name)).rejects.toMatchObject({ code: 'conflict' });
    runs.stop(launched.name, 100);
    expect(await ground.ended(launched)).toMatchObject({ state: 'stopped' });
    expect(recordOf(launched.runId).info.status).toBe('KILLED');
    // Once more changes nothing.
    expect(runs.stop(launched.name).state).toBe('stopped');
  });

  it('leaves its number to nobody', async () => {
    const first = await ground.ran('exit 0', { user: 'bob' });
    await ground.lab.runs.remove(first.name);
    expect(() => ground.lab.runs.get(first.runId)).toThrow(/No run .* was launched here/);
    expect(recordOf(first.runId).info.lifecycleStage).toBe('deleted');
    expect(ground.runFolders()).not.toContain(first.runId);
    expect(ground.jobKeys()).not.toContain(`${first.runId}-1`);
    const second = await ground.ran('exit 0', { user: 'bob' });
    expect([first.name, second.name]).toEqual(['bob/none/1', 'bob/none/2']);
  });
});

describe('what is collected', () => {
  it('are the records of all attempts of a run that is gone, of none that is there or goes on', async () => {
    const gone = await ground.ran('exit 0');
    await ground.lab.runs.resume(gone.runId);
    await ground.ended(gone);
    const kept = await ground.ran('exit 0');
    const open = await ground.launch(WAITS);
    await ground.untilLog(open, 'ready');
    const { queue } = ground.lab;
    const { spec } = queue.get(`${kept.runId}-1`)!;
    // Of a run whose removal was cut short.
    queue.submit({ key: 'of-no-run', user: 'ann', engine: 'local', spec });
    await ground.jobEnded('of-no-run');
    await ground.lab.runs.remove(gone.runId);
    const keys = [`${kept.runId}-1`, `${open.runId}-1`];
    expect(ground.jobKeys()).toEqual(expect.arrayContaining([...keys, 'of-no-run']));
    expect(ground.jobKeys().filter((key) => key.startsWith(gone.runId))).toEqual([]);
    const answer = await ground.ask('POST', 'collect');
    expect(await answer.json()).toMatchObject({ laidOutBytes: 0, submissionBytes: 0 });
    expect(ground.jobKeys()).toEqual(expect.arrayContaining(keys));
    expect(ground.jobKeys()).not.toContain('of-no-run');
    // It does not run again under that key.
    queue.submit({ key: 'of-no-run', user: 'ann', engine: 'local', spec });
    expect(queue.get('of-no-run')).toMatchObject({ step: 'ended', state: 'succeeded' });
    ground.lab.runs.stop(open.runId, 0);
    expect(await ground.ended(open)).toMatchObject({ state: 'stopped' });
  });

  it('are datasets laid out for runs when no version is left, and no run that goes on', async () => {
    const passing = ground.folder({ 'big.txt': 'x'.repeat(5000) });
    await ground.lab.datasets.push({ name: 'ann' }, 'passing', passing);
    const open = await ground.launch(`${WAITS}; wc -c < "$SLUICE_DATASET/big.txt"`, { dataset: 'passing' });
    await ground.untilLog(open, 'ready');
    expect(await ground.lab.runs.laidOut({ name: 'ann' })).toContain('passing@1');
    ground.lab.datasets.removeVersion({ name: 'ann' }, 'passing', '1');
    const collect = async () => (await ground.ask('POST', 'collect')).json() as Promise<unknown>;
    expect(await collect()).toMatchObject({ laidOutBytes: 0 });
    writeFileSync(join(ground.workFolder(open), 'go'), '');
    expect(await ground.ended(open)).toMatchObject({ state: 'succeeded' });
    expect(await ground.logText(open)).toMatch(/went on\n5000\n$/);
    expect(await collect()).toMatchObject({ laidOutBytes: 5000 });
  });

  it.each([
    [{ graceMs: 1000 }, 400, /graceMs: .*60000/],
    [{ days: 1 }, 400, /days/],
  ])('%j is refused', async (body, status, message) => {
    const answer = await ground.ask('POST', 'collect', body);
    expect(answer.status).toBe(status);
    expect(((await answer.json()) as { message: string }).message).toMatch(message);
    expect((await ground.ask('POST', 'collect', {}, null)).status).toBe(401);
  });
});

describe('checkpoints', () => {
  const SAYS = 'echo "attempt $SLUICE_ATTEMPT $* from $(cat "${SLUICE_CHECKPOINT:-/dev/null}")"';

  it('a resumed run goes on from its newest, a fork from any', async () => {
    const run = await ground.ran(SAYS, { args: ['--lr', '0.1'] });
    await ground.writeArtifact(run, 'checkpoints/z-older.txt', 'older', true);
    await ground.writeArtifact(run, 'checkpoints/deep/newer.txt', 'newer');
    await ground.writeArtifact(run, 'elsewhere.txt', 'no checkpoint');

    const resumed = await ground.ended(await ground.lab.runs.resume(run.name));
    expect(resumed).toMatchObject({ runId: run.runId, attempt: 2, state: 'succeeded' });
    expect(await ground.logText(run)).toBe('attempt 1 --lr 0.1 from \nattempt 2 --lr 0.1 from newer\n');

    const asked = { user: 'ann', parent: run.name, args: ['--lr', '0.2'] };
    const fork = await ground.ended(await ground.lab.runs.fork(asked));
    expect(fork.code).toEqual(run.code);
    expect(fork.parent).toEqual({
      runId: run.runId,
      name: run.name,
      checkpoint: 'checkpoints/deep/newer.txt',
    });
    expect(await ground.logText(fork)).toBe('attempt 1 --lr 0.2 from newer\n');
    expect(recordOf(fork.runId).tags).toContainEqual({ key: 'mlflow.parentRunId', value: run.runId });

    const older = await ground.lab.runs.fork({ ...asked, checkpoint: 'checkpoints/z-older.txt' });
    expect(await ground.logText(await ground.ended(older))).toBe('attempt 1 --lr 0.2 from older\n');
    const missing = ground.lab.runs.fork({ ...asked, checkpoint: 'checkpoints/none.txt' });
    await expect(missing).rejects.toMatchObject({ code: 'not-found' });

    expect(await ground.lab.runs.diff(run.name, fork.name)).toEqual([
      { what: 'args.--lr', from: '0.1', to: '0.2' },
      { what: 'parent', from: undefined, to: run.name },
      { what: 'checkpoint', from: undefined, to: 'checkpoints/deep/newer.txt' },
    ]);
    expect(await ground.lab.runs.diff(run.name, run.name)).toEqual([]);
  });
});

it('a difference of two runs names the files that changed', async () => {
  const before = await ground.ran('exit 0', {
    folder: ground.folder({ 'train.sh': 'exit 0', 'old.py': '' }),
  });
  const files = { 'train.sh': 'exit 0 # better', 'new.py': '' };
  const after = await ground.ran('exit 0', { dataset: 'numbers@1', folder: ground.folder(files) });
  expect(await ground.lab.runs.diff(before.name, after.name)).toEqual([
    { what: 'dataset', from: undefined, to: 'numbers@1' },
    { what: 'code.old.py', from: 'there', to: undefined },
    { what: 'code.new.py', from: undefined, to: 'there' },
    { what: 'code.train.sh', from: 'before', to: 'changed' },
  ]);
});

describe('what can not be launched', () => {
  const cases: readonly [string, Partial<LaunchRequest>, object][] = [
    ['an unknown dataset', { dataset: 'nothing' }, { code: 'not-found' }],
    ['an unknown version', { dataset: 'numbers@9' }, { code: 'not-found' }],
    ["another user's dataset", { user: 'eve', dataset: 'numbers' }, { code: 'not-found' }],
    ['an entry that leaves the folder', { entry: '../train.sh' }, { code: 'bad-input' }],
    ['an entry that does so on the way', { entry: 'a/../../x' }, { code: 'bad-input' }],
    ['an absolute entry', { entry: '/bin/sh' }, { code: 'bad-input' }],
    ['a folder as entry', { entry: '.' }, { code: 'bad-input' }],
    ['no such entry', { entry: 'none.py' }, { code: 'bad-input' }],
    ['a user with a slash', { user: 'ann/x' }, { code: 'bad-input' }],
    ['a user of dots', { user: '..' }, { code: 'bad-input' }],
    ['a variable with a space', { environment: { 'A B': '' } }, { code: 'bad-input' }],
    ['an unknown engine', { engine: 'none' }, { code: 'bad-input' }],
  ];
  it.each(cases)('%s', async (_what, more, error) => {
    await expect(ground.launch('exit 0', more)).rejects.toMatchObject(error);
  });

  it('tells all faults of a plan at once', async () => {
    const resources = { cpus: 0, gpus: -1, memoryBytes: 1 };
    await expect(ground.launch('exit 0', { resources, priority: 101 })).rejects.toThrow(
      /resources\.cpus: .*resources\.gpus: .*priority: /,
    );
  });

  it('a run whose folder was never packed can not be resumed', async () => {
    const before = new Set(ground.lab.runs.list({ most: 1000 }).map(({ runId }) => runId));
    const request = { ...PLAN, folder: ground.folder({ 'train.sh': 'exit 0' }) };
    const signal = AbortSignal.abort();
    await expect(ground.lab.runs.launch(request, { signal })).rejects.toMatchObject({ code: 'cancelled' });
    const broken = ground.lab.runs.list({ most: 1000 }).find(({ runId }) => !before.has(runId))!;
    expect(broken.state).toBe('failed');
    expect(recordOf(broken.runId).info.status).toBe('FAILED');
    await expect(ground.lab.runs.resume(broken.name)).rejects.toThrow(/was never laid out.*Launch it again/);
  });
});
