import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { LabSubmission } from '../../../contract';
import type { LabRun } from '../../../lab';
import { labCompetitionHandlers as competitions } from '../../handlers/lab-competitions';
import { labModelHandlers as models } from '../../handlers/lab-models';
import { labQueueHandlers as queue } from '../../handlers/lab-queue';
import { openShelfLab, type ShelfLab } from '../test-support/shelf-lab';

let root: string;
let at: ShelfLab;
let run: LabRun;
/** Predicts what its checkpoint says, for all rows. */
const PROGRAM = `if [ "$1" = --predict ]; then
  (echo id,prediction; for id in a b c d; do echo $id,$(cat "$SLUICE_CHECKPOINT"); done) > "$SLUICE_PREDICTIONS"
fi`;
const DEFINITION = {
  name: 'constant',
  title: 'One answer',
  dataset: { name: 'rows', version: 'latest' },
  hiddenPath: 'hidden/answers.csv',
  evaluator: 'accuracy',
  submissionsPerDay: 3,
};

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'sluice-lab-shelves-'));
  at = await openShelfLab(join(root, 'lab'));
  const rows = at.folderOf({
    'test/inputs.csv': 'id\na\nb\nc\nd\n',
    'hidden/answers.csv': 'id,answer\na,1\nb,1\nc,0\nd,1\n',
  });
  await at.lab.datasets.push({ name: 'host' }, 'rows', rows, { hidden: ['hidden/'], visibility: 'shared' });
  await at.lab.competitions.create(DEFINITION, 'host');
  run = await at.ran('ann', PROGRAM, 'rows');
  await at.writeArtifact(run.name, 'checkpoints/0.txt', '0');
  await at.writeArtifact(run.name, 'checkpoints/1.txt', '1');
}, 60_000);
afterAll(async () => {
  await at.close();
  rmSync(root, { recursive: true, force: true });
});

async function scored(id: number): Promise<LabSubmission> {
  for (;;) {
    const all = await competitions['lab.submissions']({ competition: 'constant' }, at.link);
    const found = all.find((one) => one.id === id);
    if (found?.state === 'scored' || found?.state === 'failed') return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('competitions, as the console asks for them', () => {
  it('take a run, score it, and tell its user alone which run reached the score', async () => {
    const submit = { competition: 'constant', run: run.name, isDryRun: false };
    const bad = await competitions['lab.submit']({ ...submit, checkpoint: 'checkpoints/0.txt' }, at.link);
    expect(bad).toMatchObject({ runId: run.runId, runName: 'ann/rows/1', checkpoint: 'checkpoints/0.txt' });
    expect(await scored(bad.id)).toMatchObject({ state: 'scored', score: 0.25 });
    const good = await competitions['lab.submit']({ ...submit, checkpoint: 'checkpoints/1.txt' }, at.link);
    expect(await scored(good.id)).toMatchObject({ score: 0.75, runName: 'ann/rows/1' });
    const board = { competition: 'constant' };
    const row = { rank: 1, user: 'ann', score: 0.75, submittedMs: good.submittedMs, submissions: 2 };
    expect(await competitions['lab.board'](board, at.link)).toEqual([{ ...row, runId: run.runId }]);
    expect(await competitions['lab.board'](board, at.linkOf('ben'))).toEqual([row]);
    expect(await competitions['lab.submissions'](board, at.linkOf('ben'))).toEqual([]);
    expect(await competitions['lab.competitions']({}, at.link)).toEqual([
      {
        name: 'constant',
        title: 'One answer',
        description: '',
        dataset: 'rows@1',
        owner: 'host',
        metric: { name: 'accuracy', direction: 'max' },
        submissionsPerDay: 3,
        leftToday: 1,
        createdMs: expect.any(Number) as number,
      },
    ]);
  }, 60_000);

  it.each([
    ['a competition that is not there', { competition: 'none', run: 'ann/rows/1' }, /no competition "none"/],
    ['a run that is not there', { competition: 'constant', run: 'ann/rows/9' }, /"ann\/rows\/9"/],
  ])('refuse %s', async (_what, named, message) => {
    await expect(competitions['lab.submit']({ ...named, isDryRun: false }, at.link)).rejects.toThrow(message);
  });
});

describe('models, as the console asks for them', () => {
  it('are registered from a run, and named', async () => {
    const asked = { run: run.name, path: 'checkpoints/1.txt', model: 'constant', description: 'always 1' };
    const version = { runId: run.runId, runName: 'ann/rows/1', description: 'always 1', stage: 'None' };
    expect(await models['lab.registerModel'](asked, at.link)).toMatchObject({
      name: 'constant',
      versions: [{ version: 1, source: `runs:/${run.runId}/checkpoints/1.txt`, ...version }],
    });
    await models['lab.registerModel'](asked, at.link);
    const alias = { model: 'constant', alias: 'champion' };
    expect(await models['lab.setAlias']({ ...alias, version: 1 }, at.link)).toMatchObject({
      versions: [
        { version: 2, aliases: [] },
        { version: 1, aliases: ['champion'] },
      ],
    });
    const plain = await models['lab.setAlias'](alias, at.link);
    expect(plain.versions.map(({ aliases }) => aliases)).toEqual([[], []]);
    expect(await models['lab.models']({}, at.linkOf('ben'))).toEqual([plain]);
  });

  it('leave out prompts, and what the lab does not know of a run', async () => {
    const tags = [{ key: 'mlflow.prompt.is_prompt', value: 'true' }];
    at.lab.registry.models.create('a prompt', tags);
    at.lab.registry.models.create('foreign');
    const source = 'mlflow-artifacts:/0/elsewhere/artifacts/model';
    at.lab.registry.versions.create({ model: 'foreign', source, runId: 'of another server' });
    at.lab.registry.versions.create({ model: 'foreign', source });
    const found = await models['lab.models']({}, at.link);
    expect(found.map(({ name }) => name)).toEqual(['constant', 'foreign']);
    expect(found[1]?.versions.map(({ runId, runName }) => [runId, runName])).toEqual([
      [undefined, undefined],
      ['of another server', undefined],
    ]);
  });
});

describe('the queue, as the console asks for it', () => {
  it('names runs and submissions, nodes with what they hold, and what the user may use', async () => {
    const gate = join(root, 'gate');
    const { lab } = at;
    const launched = await lab.runs.launch({
      user: 'ann',
      folder: at.folderOf({ 'wait.sh': `while [ ! -e '${gate}' ]; do sleep 0.05; done` }),
      dataset: 'rows',
      entry: 'wait.sh',
      args: [],
      environment: {},
      resources: { cpus: 1, gpus: 0, memoryBytes: 2 ** 28 },
      engine: 'local',
      priority: 5,
    });
    const spec = lab.queue.get(`${launched.runId}-1`)!.spec;
    const large = { ...spec.resources, cpus: 4 };
    lab.queue.submit({
      key: 'submission-77',
      user: 'ann',
      engine: 'local',
      spec: { ...spec, resources: large },
    });
    lab.queue.setBudget('ann', { cpuMinutes: 90, gpuMinutes: Infinity });
    const found = await queue['lab.queue']({}, at.link);
    expect(found.jobs).toMatchObject([
      { title: 'ann/rows/2', runId: launched.runId, user: 'ann', engine: 'local', priority: 5 },
      { title: 'submission 77', resources: { cpus: 4 }, state: 'queued' },
    ]);
    expect(found.nodes).toMatchObject([{ engine: 'local', isUp: true, datasets: ['rows@1'] }]);
    expect(found.account).toMatchObject({ cpuMinutesBudget: 90 });
    expect(found.account).not.toHaveProperty('gpuMinutesBudget');
    lab.queue.stop('submission-77', 0);
    writeFileSync(gate, '');
    await new Promise<void>((resolve) => {
      const unwatch = lab.queue.watch(() => {
        if (lab.queue.open().length > 0) return;
        unwatch();
        resolve();
      });
    });
    expect((await queue['lab.queue']({}, at.link)).jobs).toEqual([]);
  }, 60_000);
});
