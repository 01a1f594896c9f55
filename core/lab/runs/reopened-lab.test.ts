import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import Database from 'libsql';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { LabGround } from './test-support/lab-ground';

const WAITS = 'echo ready; while [ ! -e go ]; do sleep 0.05; done; echo went on';

let ground: LabGround;
beforeAll(async () => {
  ground = await LabGround.make();
});
afterAll(() => ground.close());

/** Changes the lab's records while nobody has it. */
function change(sql: string, ...values: readonly string[]): void {
  const database = new Database(join(ground.labFolder, 'lab.db'));
  database.prepare(sql).run([...values]);
  database.close();
}

it('a lab that is opened again follows what ran meanwhile', async () => {
  const ended = await ground.launch(WAITS);
  const running = await ground.launch(WAITS);
  await ground.untilLog(ended, 'ready');
  await ground.untilLog(running, 'ready');
  await ground.reopen(() => writeFileSync(join(ground.workFolder(ended), 'go'), ''));
  expect(await ground.ended(ended)).toMatchObject({ name: ended.name, state: 'succeeded', attempt: 1 });
  expect(ground.lab.runs.get(running.name).state).toBe('running');
  const open = ground.lab.runs.list({ most: 10, isOpen: true });
  expect(open.map(({ name }) => name)).toEqual([running.name]);
  writeFileSync(join(ground.workFolder(running), 'go'), '');
  expect(await ground.ended(running)).toMatchObject({ state: 'succeeded', exitCode: 0 });
  expect(await ground.logText(running)).toBe('ready\nwent on\n');
  for (const { runId } of [ended, running]) {
    expect(ground.lab.tracking.runs.get(runId).info.status).toBe('FINISHED');
  }
});

it('a run that was being prepared when the lab ended has failed, and says so', async () => {
  const template = await ground.ran('exit 0');
  const { runId } = ground.lab.tracking.runs.create({ experimentId: template.experimentId }).info;
  await ground.reopen(() =>
    change(
      `INSERT INTO runs_launched SELECT ?, 'ann/none/90', user, experiment_id, 'preparing', NULL, 1, created_ms, plan
       FROM runs_launched WHERE run_id = ?`,
      runId,
      template.runId,
    ),
  );
  expect(ground.lab.runs.get('ann/none/90')).toMatchObject({
    state: 'failed',
    reason: 'The lab ended while this run was being prepared. Launch it again.',
  });
  expect(ground.lab.tracking.runs.get(runId).info.status).toBe('FAILED');
});

it('a run whose job was queued just before the lab ended goes on', async () => {
  const run = await ground.launch(WAITS);
  await ground.untilLog(run, 'ready');
  await ground.reopen(() =>
    change("UPDATE runs_launched SET stage = 'preparing' WHERE run_id = ?", run.runId),
  );
  expect(ground.lab.runs.get(run.runId).state).toBe('running');
  writeFileSync(join(ground.workFolder(run), 'go'), '');
  expect(await ground.ended(run)).toMatchObject({ state: 'succeeded' });
});
