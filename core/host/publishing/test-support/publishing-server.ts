import { resolve } from 'node:path';

import { engineClockMs, seededRandom } from '../../../base';
import { OipClient, PublishClient, startInferenceServer } from '../../../serving';
import { startServices } from '../../services';
import { openPublished } from '../open-published';

export interface PublishingOptions {
  readonly dataDir: string;
  readonly budgetBytes?: number;
  /** Default: none. */
  readonly token?: string;
  /** Default: `DEPLOY_TOKEN`; null: none. */
  readonly deployToken?: string | null;
  readonly mostBytes?: number;
}

export interface PublishingServer {
  readonly url: string;
  readonly publisher: PublishClient;
  readonly client: OipClient;
  close(): Promise<void>;
}

export const DEPLOY_TOKEN = 'a-deploy-token-of-some-length';

/** What `sluice serve` is, in this process, with a canary's share drawn by a seed. */
export async function startPublishingServer(options: PublishingOptions): Promise<PublishingServer> {
  const { dataDir, budgetBytes, token, deployToken = DEPLOY_TOKEN, mostBytes = 2 ** 31 } = options;
  const appRoot = resolve(import.meta.dirname, '../../../..');
  const log = (): void => undefined;
  const services = await startServices({ dataDir, threads: 1, appRoot, servesConsoles: false, log });
  if (budgetBytes !== undefined) await services.setBudget(budgetBytes);
  await services.loaded.keepIdle(Infinity);
  const { models, publisher } = await openPublished({
    services,
    dataDir,
    nowMs: engineClockMs,
    random: seededRandom(7),
    budgetBytes,
    chosen: undefined,
    isTaken: (name) => services.models.list().some((model) => model.name === name),
    mostBytes,
    onEngineDown: log,
    log,
  });
  const server = await startInferenceServer({
    models,
    publisher,
    tier: 'edge',
    version: '0.0.0',
    appRoot,
    nowMs: engineClockMs,
    port: 0,
    ...(token !== undefined && { token }),
    ...(deployToken !== null && { deployToken }),
  });
  const known = deployToken ?? token;
  const access = { url: server.url, ...(known !== undefined && { token: known }) };
  const client = new OipClient({ ...access, retries: 0 });
  return {
    url: server.url,
    publisher: new PublishClient(access),
    client,
    close: async () => {
      await client.close();
      await server.close();
      await services.close();
    },
  };
}
