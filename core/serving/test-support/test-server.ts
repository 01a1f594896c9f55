import { resolve } from 'node:path';

import { engineClockMs } from '../../base';
import { startInferenceServer } from '../start-server';
import type { InferenceServer, InferenceServerOptions } from '../server/inference-server';
import { FakeLanguages } from './fake-languages';
import { FakeModels } from './fake-models';

export interface TestServer extends InferenceServer {
  readonly models: FakeModels;
  readonly languages: FakeLanguages;
  readonly port: number;
}

/** A server on free ports of this machine. */
export async function startTestServer(options: Partial<InferenceServerOptions> = {}): Promise<TestServer> {
  const models = new FakeModels();
  const languages = new FakeLanguages();
  const server = await startInferenceServer({
    models,
    languages,
    tier: 'edge',
    version: '0.0.0',
    appRoot: resolve(import.meta.dirname, '../../..'),
    nowMs: engineClockMs,
    port: 0,
    grpcPort: 0,
    ...options,
  });
  return { ...server, models, languages, port: Number(new URL(server.url).port) };
}
