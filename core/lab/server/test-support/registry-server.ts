import { afterEach, beforeEach } from 'vitest';

import { systemClock } from '../../../base';
import { SluiceError } from '../../../contract';
import { DEFAULT_LIMITS, type Listener } from '../../../serving';
import { ModelRegistry } from '../../registry/model-registry';
import { REGISTRY_SCHEMA } from '../../registry/registry-schema';
import { LabDatabase } from '../../store/lab-database';
import { startLabServer } from '../lab-server';
import { registryRoutes } from '../registry-routes';

const API = '/api/2.0/mlflow';
export const SOURCE = 'mlflow-artifacts:/0/run/artifacts/model';

export type Message = Readonly<Record<string, unknown>>;

export interface RegistryServer {
  /** As MLflow's client asks: a GET's message is its query, any other's its body. */
  ask(method: string, path: string, message?: Message): Promise<[number, unknown]>;
  /** A POST of some bytes. */
  post(path: string, body: string | Uint8Array<ArrayBuffer>): Promise<[number, unknown]>;
  /** Registers "net" with two versions and an alias. */
  registerNet(): Promise<void>;
}

/** An empty registry for each test of a file; called once, outside of them. */
export function useRegistryServer(): RegistryServer {
  let database: LabDatabase;
  let listener: Listener;
  beforeEach(async () => {
    database = LabDatabase.open(':memory:', [REGISTRY_SCHEMA]);
    const registry = new ModelRegistry({
      database,
      clock: systemClock,
      lookup: {
        artifactUriOf: (runId) => {
          throw new SluiceError('not-found', `Run "${runId}" not found.`);
        },
        loggedModelUri: () => undefined,
      },
      onListenerFault: (cause) => {
        throw cause;
      },
    });
    listener = await startLabServer({
      routes: [registryRoutes(registry)],
      token: undefined,
      host: '127.0.0.1',
      port: 0,
      limits: DEFAULT_LIMITS,
    });
  });
  afterEach(async () => {
    await listener.close();
    database.close();
  });

  const urlOf = (path: string): string => `http://127.0.0.1:${listener.port}${API}/${path}`;
  const send = async (url: string, init?: RequestInit): Promise<[number, unknown]> => {
    const answer = await fetch(url, init);
    return [answer.status, await answer.json()];
  };
  const ask: RegistryServer['ask'] = (method, path, message = {}) => {
    if (method !== 'GET') return send(urlOf(path), { method, body: JSON.stringify(message) });
    const query = new URLSearchParams();
    for (const [key, value] of Object.entries(message)) {
      for (const one of Array.isArray(value) ? value : [value]) query.append(key, String(one));
    }
    return send(`${urlOf(path)}?${query.toString()}`);
  };
  return {
    ask,
    post: (path, body) => send(urlOf(path), { method: 'POST', body }),
    registerNet: async () => {
      await ask('POST', 'registered-models/create', {
        name: 'net',
        tags: [{ key: 'task', value: 'vision' }],
      });
      for (const run_id of ['run-1', 'run-2']) {
        await ask('POST', 'model-versions/create', { name: 'net', source: SOURCE, run_id });
      }
      await ask('POST', 'registered-models/alias', { name: 'net', alias: 'champion', version: '1' });
    },
  };
}
