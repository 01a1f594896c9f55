import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { z } from 'zod';

import { PublishClient } from '../../../serving';
import type { ShownRun } from '../shown-run';
import type { ModelFile } from '../deployments/model-file';
import { withModelFile } from '../deployments/publish-version';
import type { CaseUser } from './case-user';
import { ask, startEndpoint, type Endpoint } from './endpoint-process';
import { DATA_SEED, type ExampleOptions } from './start-example';
import { ownPredictions, testRows, type TestRow } from './test-part';

/** The first answers are told one by one. */
const TOLD_ANSWERS = 5;
const CANARY_PCT = 50;
const CANARY_REQUESTS = 60;
const aboutSchema = z.object({ classes: z.array(z.string()) });

export interface DeploymentReport {
  readonly model: string;
  /** The winner's, which answers. */
  readonly version: number;
  /** Requests that each version answered while the winner was the canary. */
  readonly canary: { readonly before: number; readonly winner: number };
  /** The file that is served. */
  readonly file: string;
  /** Of the winner alone, one for each row of the test part. */
  readonly requests: number;
  /** Answers that are what the program itself predicts from its checkpoint. */
  readonly asPredicted: number;
  readonly accuracy: number;
  readonly answers: readonly {
    readonly readings: readonly number[];
    readonly probabilities: readonly number[];
  }[];
}

export interface DeploymentOptions extends ExampleOptions {
  readonly model: string;
  /** Whose model answers until the winner comes. */
  readonly before: ShownRun;
  readonly winner: ShownRun;
  /** Of the winner, its last one. */
  readonly checkpoint: string;
  /** The working folder. */
  readonly programs: string;
  readonly signal: AbortSignal;
  readonly log: (message: string) => void;
}

/**
 * Registers two models, publishes them to an edge endpoint one after the other, the second as a canary first, and asks about
 * the whole test part.
 */
export async function deployWinner(user: CaseUser, options: DeploymentOptions): Promise<DeploymentReport> {
  const { model, before, winner, dataDir, signal, log } = options;
  const versions = {
    before: await user.register(before, 'model', model),
    winner: await user.register(winner, 'model', model),
  };
  const folder = await mkdtemp(join(dataDir, 'lab-example-edge-'));
  const endpoint = await startEndpoint(folder);
  try {
    const client = new PublishClient({ url: endpoint.url, token: endpoint.token });
    await publish(client, options, versions.before, 100);
    await publish(client, options, versions.winner, CANARY_PCT);
    const rows = testRows(DATA_SEED);
    for (const { readings } of rows.slice(0, CANARY_REQUESTS)) await ask(endpoint, model, readings, signal);
    const [shared] = await client.list(signal);
    await client.setCanary(model, 100);
    log(
      `${model} version ${versions.winner} took ${shared?.canary?.requests ?? 0} of ${CANARY_REQUESTS} requests, and now takes all`,
    );
    const asked = await askAll(user, options, endpoint, rows);
    log(`${endpoint.url} answered ${asked.requests} requests`);
    return {
      model,
      version: versions.winner,
      canary: { before: shared?.stable.requests ?? 0, winner: shared?.canary?.requests ?? 0 },
      file: await keepFile(user, options),
      ...asked,
    };
  } finally {
    await endpoint.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function publish(
  client: PublishClient,
  { api, model, dataDir, signal }: DeploymentOptions,
  version: number,
  sharePct: number,
): Promise<unknown> {
  const wanted = { model, version, servedAs: model, sharePct };
  const send = (file: ModelFile): Promise<unknown> => client.publish({ ...wanted, ...file }, signal);
  return withModelFile(api, wanted, dataDir, send, signal);
}

async function askAll(
  user: CaseUser,
  { model, winner, checkpoint, programs, dataDir, signal }: DeploymentOptions,
  endpoint: Endpoint,
  rows: readonly TestRow[],
): Promise<Pick<DeploymentReport, 'requests' | 'asPredicted' | 'accuracy' | 'answers'>> {
  const about = (await user.artifact(winner, 'model/about.json')).toString('utf8');
  const { classes } = aboutSchema.parse(JSON.parse(about));
  const folder = await mkdtemp(join(dataDir, 'lab-example-test-'));
  try {
    const predictions = await ownPredictions(
      programs,
      folder,
      await user.artifact(winner, checkpoint),
      DATA_SEED,
    );
    const answers = [];
    let [asPredicted, right] = [0, 0];
    for (const { id, readings, answer } of rows) {
      const probabilities = await ask(endpoint, model, readings, signal);
      const label = classes[probabilities.indexOf(Math.max(...probabilities))];
      if (label === predictions.get(id)) asPredicted += 1;
      if (label === answer) right += 1;
      answers.push({ readings, probabilities });
    }
    return {
      requests: rows.length,
      asPredicted,
      accuracy: right / rows.length,
      answers: answers.slice(0, TOLD_ANSWERS),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** For whoever wants to look at it. */
async function keepFile(user: CaseUser, { winner, dataDir, model }: DeploymentOptions): Promise<string> {
  const file = join(dataDir, 'lab-example-models', `${model}.onnx`);
  await mkdir(join(dataDir, 'lab-example-models'), { recursive: true });
  await writeFile(file, await user.artifact(winner, 'model/model.onnx'));
  return file;
}
