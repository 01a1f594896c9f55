import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import type { ErrorCode, LabDeployment } from '../../../contract';
import { writeZooModel, zooNetwork } from '../../../zoo';
import { inputOf, writeTestModel } from '../../publishing/test-support/models';
import { DEPLOY_TOKEN, startPublishingServer } from '../../publishing/test-support/publishing-server';
import type { PublishingServer } from '../../publishing/test-support/publishing-server';
import { startServices } from '../../services';
import type { Services } from '../../services';
import { DeploymentRecords } from './deployment-records';
import { ONNX_MLMODEL, RegisteredLab, SKLEARN_MLMODEL } from './test-support/registered-lab';

const MODEL = 'Digits model';
const SERVED_AS = 'Digits-model';
const TAG = 'sluice.endpoint.box';
const VARIANT = { accuracyPct: 91, source: 'test set of the board' };

let files: string;
let first: string;
let second: string;
let folder: string;
let lab: RegisteredLab;
let server: PublishingServer;
let services: Services;
let endpointId: string;
let logged: string[];

beforeAll(async () => {
  files = mkdtempSync(join(tmpdir(), 'sluice-deploy-files-'));
  first = await writeTestModel(files, 1);
  second = await writeTestModel(files, 2);
});
afterAll(() => rmSync(files, { recursive: true, force: true }));

beforeEach(async () => {
  logged = [];
  folder = mkdtempSync(join(tmpdir(), 'sluice-deploy-'));
  lab = await RegisteredLab.start(join(folder, 'lab'));
  server = await startPublishingServer({ dataDir: join(folder, 'endpoint') });
  services = await startServices({
    dataDir: join(folder, 'console'),
    threads: 1,
    appRoot: resolve(import.meta.dirname, '../../../..'),
    servesConsoles: false,
    log: (message) => logged.push(message),
  });
  const endpoint = { name: 'box', tier: 'edge', url: server.url, token: DEPLOY_TOKEN } as const;
  endpointId = (await services.endpoints.add(endpoint)).id;
});
afterEach(async () => {
  await services.close();
  await server.close();
  await lab.close();
  rmSync(folder, { recursive: true, force: true });
});

function publish(version: number, more: object = {}): Promise<LabDeployment> {
  const input = { model: MODEL, version, endpointId, sharePct: 100, ...more };
  return services.labDeployments.publish(lab.api, input);
}

async function ask(): Promise<string> {
  return (await server.client.infer({ model: SERVED_AS, inputs: inputOf(0.5) })).modelVersion;
}

const list = (): Promise<readonly LabDeployment[]> =>
  services.labDeployments.list(() => Promise.resolve(lab.api));

const roles = async (): Promise<readonly unknown[]> => [
  (await lab.tags(MODEL, 1))[TAG],
  (await lab.tags(MODEL, 2))[TAG],
];

describe('a console that publishes of its lab', () => {
  it('publishes, gives a canary its share, promotes, rolls back; the registry tells what answers', async () => {
    await lab.registerFile(MODEL, first);
    await lab.registerFile(MODEL, second);
    const shown = { endpointId, endpointName: 'box', model: MODEL, servedAs: SERVED_AS, state: 'ready' };
    const nothing = { requests: 0, failures: 0 };
    expect(await publish(1)).toEqual({ ...shown, stable: { version: 1, sharePct: 100, ...nothing } });
    expect(await ask()).toBe('1');
    await publish(2, { sharePct: 25 });
    expect(await roles()).toEqual([`${SERVED_AS}: stable`, `${SERVED_AS}: canary 25%`]);
    expect(await list()).toMatchObject([
      { ...shown, stable: { version: 1, sharePct: 75, requests: 1 }, canary: { version: 2, sharePct: 25 } },
    ]);
    const promoted = await services.labDeployments.setCanary(lab.api, endpointId, SERVED_AS, 100);
    expect(promoted).toMatchObject({ stable: { version: 2, sharePct: 100 }, previousVersion: 1 });
    expect(await roles()).toEqual([undefined, `${SERVED_AS}: stable`]);
    expect(await ask()).toBe('2');
    await services.labDeployments.rollBack(lab.api, endpointId, SERVED_AS);
    expect(await roles()).toEqual([`${SERVED_AS}: stable`, undefined]);
    expect(await ask()).toBe('1');
    await services.labDeployments.unpublish(lab.api, endpointId, SERVED_AS);
    expect(await roles()).toEqual([undefined, undefined]);
    expect(await list()).toEqual([]);
    // Nothing that was fetched is left.
    expect(readdirSync(join(folder, 'console')).filter((name) => name.startsWith('publish-'))).toEqual([]);
  });

  it('an endpoint that is gone is shown with what was seen last', async () => {
    await lab.registerFile(MODEL, first);
    await publish(1);
    await server.close();
    expect(await list()).toMatchObject([
      { servedAs: SERVED_AS, state: 'unreachable', error: { code: 'unavailable' }, stable: { version: 1 } },
    ]);
    server = await startPublishingServer({ dataDir: join(folder, 'endpoint') });
  });

  it('takes the model out of an MLflow folder, and weights that stand beside it into it', async () => {
    const path = join(files, 'parts.onnx');
    await writeZooModel(zooNetwork('tiny-mlp'), path, { seed: 1, weights: 'external' });
    await lab.register(
      MODEL,
      {
        'model/MLmodel': ONNX_MLMODEL,
        'model/model.onnx': readFileSync(path),
        'model/parts.weights': readFileSync(join(files, 'parts.weights')),
        'model/other.onnx': 'not this one',
      },
      'model',
    );
    await publish(1);
    expect(await ask()).toBe('1');
  });

  const BAD: readonly (readonly [string, Readonly<Record<string, string>>, string, ErrorCode, RegExp])[] = [
    [
      'a scikit-learn model',
      { 'm/MLmodel': SKLEARN_MLMODEL, 'm/model.pkl': 'x' },
      'm',
      'unsupported',
      /MLflow model of sklearn/,
    ],
    [
      'a folder of other files',
      { 'm/a.txt': 'x', 'm/b/c.bin': 'y' },
      'm',
      'unsupported',
      /folder with a\.txt .*b\/c\.bin/,
    ],
    [
      'a file that is text',
      { 'm/w.pt': 'no model at all' },
      'm/w.pt',
      'unsupported',
      /w\.pt is not an ONNX model.*text/,
    ],
    ['nothing', {}, 'm', 'not-found', /no such artifact/],
    [
      'two models',
      { 'm/a.onnx': 'x', 'm/b.onnx': 'y' },
      'm',
      'unsupported',
      /several ONNX models: a\.onnx, b\.onnx/,
    ],
  ];
  it.each(BAD)('refuses %s, and says what it is', async (_what, contents, path, code, message) => {
    await lab.register(MODEL, contents, path);
    await expect(publish(1)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    });
    expect(await list()).toEqual([]);
  });

  it('the published model is a variant of the offload agent, and goes back with the deployment', async () => {
    await lab.registerFile(MODEL, first);
    await lab.registerFile(MODEL, second);
    expect(await publish(1)).not.toHaveProperty('variant');
    expect(await publish(1, { variant: VARIANT })).toMatchObject({ variant: 'd0' });
    const variants = (): readonly object[] => services.deployment.state().variants;
    await publish(1, { variant: { ...VARIANT, accuracyPct: 90 } });
    expect(variants()).toMatchObject([{ id: 'd0', accuracyPct: 90 }]);
    await publish(1, { variant: VARIANT });
    expect(variants()).toEqual([{ id: 'd0', model: SERVED_AS, title: SERVED_AS, ...VARIANT }]);
    expect((await services.endpoints.test(endpointId)).steps).toContainEqual(
      expect.objectContaining({ step: 'models', ok: true, text: '1 of 1 variants' }),
    );
    const source = async (): Promise<string> => (await services.models.inspect(SERVED_AS)).sourceSha256;
    const before = await source();
    const better = { accuracyPct: 93, source: 'the same' };
    expect(await publish(2, { variant: better, sharePct: 10 })).toMatchObject({ variant: 'd0' });
    expect(await source()).toBe(before);
    await services.labDeployments.setCanary(lab.api, endpointId, SERVED_AS, 100);
    expect(variants()).toMatchObject([{ id: 'd0', ...better }]);
    expect(await source()).not.toBe(before);
    await services.labDeployments.rollBack(lab.api, endpointId, SERVED_AS);
    expect(variants()).toMatchObject([{ id: 'd0', ...VARIANT }]);
    expect(await source()).toBe(before);
    await services.labDeployments.unpublish(lab.api, endpointId, SERVED_AS);
    expect(variants()).toEqual([]);
    expect(services.models.list()).toEqual([]);
  });

  it('the command line’s word makes a variant, and mends what is known of one', async () => {
    await lab.registerFile(MODEL, first);
    await publish(1);
    const records = new DeploymentRecords(join(folder, 'console'), () => undefined);
    const say = async (accuracyPct: number): Promise<void> => {
      const record = records.find(server.url, SERVED_AS);
      records.put({ ...record!, variants: { 1: { ...VARIANT, accuracyPct } } });
      await records.settled();
    };
    const accuracies = (): readonly number[] =>
      services.deployment.state().variants.map(({ accuracyPct }) => accuracyPct);
    for (const accuracyPct of [91, 95]) {
      await say(accuracyPct);
      await list();
      await vi.waitFor(() => expect(accuracies()).toEqual([accuracyPct]), { timeout: 30_000 });
      await vi.waitFor(async () => expect(await list()).toMatchObject([{ variant: 'd0' }]), {
        timeout: 30_000,
      });
    }
  });

  it('the command line’s word does not take a model of the device’s own', async () => {
    await lab.registerFile(MODEL, first);
    await publish(1);
    await services.models.importAndProfile(
      { path: second, name: SERVED_AS, replace: false },
      () => undefined,
      new AbortController().signal,
    );
    const records = new DeploymentRecords(join(folder, 'console'), () => undefined);
    records.put({ ...records.find(server.url, SERVED_AS)!, variants: { 1: VARIANT } });
    await records.settled();
    await list();
    await vi.waitFor(() => expect(logged.join('\n')).toMatch(/stays as it is: This device has a model/), {
      timeout: 30_000,
    });
    expect(services.deployment.state().variants).toEqual([]);
  });

  it('the variant follows what others change at the endpoint', async () => {
    await lab.registerFile(MODEL, first);
    await lab.registerFile(MODEL, second);
    await publish(1, { variant: VARIANT });
    await publish(2, { variant: { accuracyPct: 93, source: 'the same' } });
    const accuracies = (): readonly number[] =>
      services.deployment.state().variants.map(({ accuracyPct }) => accuracyPct);
    expect(accuracies()).toEqual([93]);
    await server.publisher.rollBack(SERVED_AS);
    expect(await list()).toMatchObject([{ stable: { version: 1 } }]);
    await vi.waitFor(() => expect(accuracies()).toEqual([91]), { timeout: 60_000 });
    await vi.waitFor(async () => expect(await list()).toMatchObject([{ variant: 'd0' }]), {
      timeout: 60_000,
    });
    await server.publisher.remove(SERVED_AS);
    await vi.waitFor(
      async () => {
        expect(await list()).toEqual([]);
        expect(services.models.list()).toEqual([]);
      },
      { timeout: 60_000 },
    );
    expect(accuracies()).toEqual([]);
  });

  it('does not take the name of another model of this device', async () => {
    await lab.registerFile(MODEL, first);
    await services.models.import('job', { path: second, name: SERVED_AS });
    await expect(publish(1, { variant: VARIANT })).rejects.toMatchObject({ code: 'conflict' });
    await expect(ask()).rejects.toMatchObject({ code: 'not-found' });
  });
});
