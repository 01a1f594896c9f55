import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { systemClock } from '../../base';
import { LabGround } from '../runs/test-support/lab-ground';
import { LabDatabase } from '../store/lab-database';
import { LabChanges } from './lab-changes';

interface Changes {
  readonly revision: string;
  readonly parts: readonly string[];
}

let ground: LabGround;
beforeEach(async () => {
  ground = await LabGround.make();
});
afterEach(() => ground.close());

async function changes(since: string, waitMs = 0): Promise<Changes> {
  const query = new URLSearchParams({ since, waitMs: String(waitMs) });
  return (await (await ground.ask('GET', `changes?${query.toString()}`)).json()) as Changes;
}

describe('changes of a lab', () => {
  it('has nothing to tell to whoever begins', async () => {
    const { revision, parts } = await changes('');
    expect(parts).toEqual([]);
    expect(await changes(revision)).toEqual({ revision, parts: [] });
    await ground.reopen();
    expect((await changes(revision)).revision).not.toBe(revision);
  });

  it('tells what part has changed, to whoever waits too', async () => {
    const { revision } = await changes('');
    const waiting = changes(revision, 60_000);
    ground.lab.registry.models.create('net');
    expect((await waiting).parts).toEqual(['models']);
    ground.lab.tracking.runs.create({ experimentId: '0' });
    expect((await changes(revision)).parts.toSorted()).toEqual(['models', 'runs']);
    const { revision: now } = await changes(revision);
    ground.lab.tracking.runs.create({ experimentId: '0' });
    expect((await changes(now)).parts).toEqual(['runs']);
  });

  it('tells of a launched run, its job and its place', async () => {
    const { revision } = await changes('');
    await ground.ran('echo done');
    expect((await changes(revision)).parts.toSorted()).toEqual(['queue', 'runs']);
  });

  it('tells of a run whose place in the queue alone has changed', () => {
    const { info } = ground.lab.tracking.runs.create({ experimentId: '0' });
    // Its tables are there: another connection of the same process.
    const database = LabDatabase.open(join(ground.labFolder, 'lab.db'), []);
    try {
      const own = new LabChanges(database, systemClock, 'own');
      const { revision } = own;
      own.touchRun(info.runId);
      expect(own.partsSince(revision).parts).toEqual(['runs']);
      expect(own.runsSince(revision)).toEqual([1]);
    } finally {
      database.close();
    }
  });

  it('is for those who may launch', async () => {
    expect((await ground.ask('GET', 'changes', undefined, null)).status).toBe(401);
    expect((await ground.ask('GET', 'changes?waitMs=-1')).status).toBe(400);
  });
});
