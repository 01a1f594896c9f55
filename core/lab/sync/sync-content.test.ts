import { readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, describe, expect, it } from 'vitest';

import { seededRandom } from '../../base';
import { pathOfArtifactUri } from '../artifacts/artifact-uri';
import { CuttingRelay } from './test-support/cutting-relay';
import { SyncGround, type GroundOptions } from './test-support/sync-ground';

const opened: SyncGround[] = [];
afterEach(async () => {
  for (const ground of opened.splice(0).reverse()) await ground.close();
});

async function open(options: GroundOptions): Promise<SyncGround> {
  const ground = await SyncGround.open(options);
  opened.push(ground);
  return ground;
}

it('a large file reaches another lab over a link that breaks before all of it is through', async () => {
  const [near, far] = [await open({ seed: 1 }), await open({ seed: 2 })];
  const relay = await CuttingRelay.start(far.port, seededRandom(3), 3 * 2 ** 20);
  try {
    await near.sync.add({ name: 'cloud', url: relay.url });
    const runId = near.run('first');
    const content = Array.from({ length: 300_000 }, (_, line) => `line ${line} of a large file`).join(' ');
    await near.write(runId, 'a folder/large.txt', content);
    for (let turn = 0; turn < 20; turn++) await near.sync.now('cloud').catch(() => undefined);
    expect(relay.cuts).toBeGreaterThan(0);
    relay.isFlaky = false;
    await near.sync.now('cloud');
    const isSame = (await far.read(far.runs()[0]!.info.artifactUri, 'a folder/large.txt')) === content;
    expect(isSame).toBe(true);
    expect(readdirSync(join(far.folder, 'sync', 'incoming'))).toEqual([]);
  } finally {
    await relay.close();
  }
}, 60_000);

describe.each([
  ['another lab', false],
  ['an MLflow server', true],
])('what comes with runs, to %s', (_kind, isMlflow) => {
  async function pair(): Promise<readonly [near: SyncGround, far: SyncGround]> {
    const grounds = [await open({ seed: 1 }), await open({ seed: 2, isMlflow })] as const;
    await grounds[0].sync.add({ name: 'cloud', url: grounds[1].url });
    return grounds;
  }

  it('files: each once, again only with another content', async () => {
    const [near, far] = await pair();
    const runId = near.run('first');
    await near.write(runId, 'plots/a b.txt', 'first');
    await near.write(runId, 'model.bin', 'x'.repeat(100_000));
    expect((await near.sync.now('cloud')).sent).toMatchObject({ files: 2, fileBytes: 100_005 });
    const [there] = far.runs();
    expect(await far.read(there!.info.artifactUri, 'plots/a b.txt')).toBe('first');
    expect(await far.read(there!.info.artifactUri, 'model.bin')).toBe('x'.repeat(100_000));

    utimesSync(
      join(near.folder, 'artifacts', ...pathOfArtifactUri(near.runs()[0]!.info.artifactUri), 'model.bin'),
      1,
      1,
    );
    await near.write(runId, 'plots/a b.txt', 'other');
    await near.write(runId, 'model.bin', 'x'.repeat(100_000));
    expect((await near.sync.list())[0]!.pending).toMatchObject({ files: 1, fileBytes: 5 });
    expect((await near.sync.now('cloud')).sent).toMatchObject({ files: 1, fileBytes: 5 });
    expect(await far.read(there!.info.artifactUri, 'plots/a b.txt')).toBe('other');
    expect((await near.sync.list())[0]!.pending).toEqual({ runs: 0, points: 0, files: 0, fileBytes: 0 });
  });

  it('nested runs, datasets and changed tags', async () => {
    const [near, far] = await pair();
    const parent = near.run('parent');
    const child = near.run('child');
    near.tag(child, 'mlflow.parentRunId', parent);
    near.tag(child, 'note', 'one');
    const dataset = { name: 'digits', digest: 'abc', sourceType: 'local', source: 'here' };
    near.tracking.logInputs(child, [{ dataset, tags: [{ key: 'mlflow.data.context', value: 'train' }] }]);
    await near.sync.now('cloud');
    near.tag(child, 'note', 'two');
    await near.sync.now('cloud');
    const [parentThere, childThere] = far.runs();
    const tags = new Map(childThere!.tags.map(({ key, value }) => [key, value]));
    expect(tags.get('mlflow.parentRunId')).toBe(parentThere!.info.runId);
    expect(tags.get('note')).toBe('two');
    expect(childThere!.datasets).toMatchObject([{ dataset, tags: [{ value: 'train' }] }]);
  });

  it('logged models, and versions of registered ones with stage and alias', async () => {
    const [near, far] = await pair();
    const runId = near.run('first');
    const { experimentId } = near.tracking.runs.get(runId).info;
    const { models } = near.tracking;
    const model = models.create({
      experimentId,
      name: 'net',
      sourceRunId: runId,
      params: [{ key: 'p', value: '1' }],
    });
    near.tracking.runs.addOutputs(runId, [{ modelId: model.modelId, step: 3 }]);
    near.log(runId, [{ key: 'acc', value: 0.5, step: 1, timestampMs: 5, modelId: model.modelId }]);
    await near.writeTo(model.artifactUri, 'weights.bin', 'weights');
    models.finalize(model.modelId, 'LOGGED_MODEL_READY');
    near.registry.models.create('digits');
    near.registry.versions.create({ model: 'digits', source: `runs:/${runId}/model`, runId });
    near.registry.versions.create({
      ...{ model: 'digits', source: `models:/${model.modelId}`, runId, loggedModel: model.modelId },
    });
    near.registry.versions.moveTo('digits', 2, 'Production');
    near.registry.versions.setAlias('digits', 'best', 2);
    far.registry.models.create('digits');

    expect((await near.sync.now('cloud')).sent).toMatchObject({ modelVersions: 2, refused: [] });
    const [there] = far.runs();
    const [copy] = far.tracking.models.search({ experimentIds: [there!.info.experimentId] }).items;
    expect(copy).toMatchObject({
      ...{ name: 'net', status: 'LOGGED_MODEL_READY', sourceRunId: there!.info.runId },
      params: [{ key: 'p', value: '1' }],
      metrics: [{ key: 'acc', value: 0.5, step: 1 }],
    });
    expect(there!.modelOutputs).toEqual([{ modelId: copy!.modelId, step: 3 }]);
    expect(far.points(there!.info.runId)).toEqual(near.points(runId));
    expect(await far.read(copy!.artifactUri, 'weights.bin')).toBe('weights');
    expect(far.registry.versions.get('digits', 1)).toMatchObject({
      location: `${there!.info.artifactUri}/model`,
    });
    expect(far.registry.versions.byAlias('digits', 'best')).toMatchObject({
      ...{ version: 2, stage: 'Production', source: `models:/${copy!.modelId}`, location: copy!.artifactUri },
    });

    near.registry.versions.setAlias('digits', 'best', 1);
    expect((await near.sync.now('cloud')).sent).toMatchObject({ modelVersions: 2 });
    expect(far.registry.versions.byAlias('digits', 'best')).toMatchObject({ version: 1 });
    expect((await near.sync.now('cloud')).sent).toMatchObject({ modelVersions: 0, runs: 0, files: 0 });
  });

  it('which logged models runs used, also when they do so later or elsewhere', async () => {
    const [near, far] = await pair();
    const maker = near.run('maker');
    const { experimentId } = near.tracking.runs.get(maker).info;
    const { modelId } = near.tracking.models.create({ experimentId, name: 'net', sourceRunId: maker });
    const user = near.run('user', 'evaluations');
    near.tracking.logInputs(user, [], [modelId]);
    expect((await near.sync.now('cloud')).sent).toMatchObject({ refused: [] });
    const inputs = (): readonly (readonly string[])[] => far.runs().map(({ modelInputs }) => modelInputs);
    const [copy] = far.tracking.models.search({ experimentIds: [far.runs()[0]!.info.experimentId] }).items;
    expect(inputs()).toEqual([[], [copy!.modelId]]);

    near.tracking.logInputs(near.run('later'), [], [modelId]);
    await near.sync.now('cloud');
    expect(inputs()).toEqual([[], [copy!.modelId], [copy!.modelId]]);
    expect((await near.sync.now('cloud')).sent).toMatchObject({ modelVersions: 0, runs: 0, files: 0 });
  });

  it('some experiments only, and more of them later', async () => {
    const [near, far] = [await open({ seed: 1 }), await open({ seed: 2, isMlflow })];
    near.run('kept', 'private');
    near.run('shown', 'public');
    await near.sync.add({ name: 'cloud', url: far.url, experiments: ['public'] });
    await near.sync.now('cloud');
    expect(far.runs().map(({ info }) => info.name)).toEqual(['shown']);
    await near.sync.add({ name: 'cloud', url: far.url });
    await near.sync.now('cloud');
    expect(far.runs().map(({ info }) => info.name)).toEqual(['shown', 'kept']);
  });

  it('no deletion: what was deleted here stays there, and what was deleted before does not come', async () => {
    const [near, far] = await pair();
    const [first, second] = [near.run('first'), near.run('second')];
    near.tracking.runs.delete(second);
    await near.sync.now('cloud');
    near.tracking.runs.delete(first);
    near.log(near.run('third'), [{ key: 'a', value: 1, step: 1, timestampMs: 1 }]);
    await near.sync.now('cloud');
    expect(far.runs().map(({ info }) => [info.name, info.lifecycleStage])).toEqual([
      ['first', 'active'],
      ['third', 'active'],
    ]);
    near.tracking.runs.restore(second);
    await near.sync.now('cloud');
    expect(far.runs().map(({ info }) => info.name)).toContain('second');
  });
});
