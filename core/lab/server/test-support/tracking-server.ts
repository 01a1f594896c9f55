import { seededRandom, type Clock } from '../../../base';
import { DEFAULT_LIMITS } from '../../../serving';
import { LabDatabase } from '../../store/lab-database';
import { TRACKING_SCHEMA } from '../../tracking/tracking-schema';
import { TrackingStore } from '../../tracking/tracking-store';
import { startLabServer } from '../lab-server';
import { trackingRoutes } from '../tracking-routes';

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** A lab that tracks in memory, asked as MLflow's clients ask. */
export interface TrackingServer {
  readonly store: TrackingStore;
  readonly url: string;
  /** @param path below MLflow's. */
  get(path: string): Promise<Answer>;
  /** @param body a text is sent as it is. */
  send(method: 'POST' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<Answer>;
  close(): Promise<void>;
}

const clock: Clock = { nowMs: () => 1000, after: () => () => undefined };

export async function startTrackingServer(): Promise<TrackingServer> {
  const database = LabDatabase.open(':memory:', [TRACKING_SCHEMA]);
  const store = new TrackingStore(database, {
    clock,
    random: seededRandom(3),
    artifactRoot: 'mlflow-artifacts:/',
  });
  const listener = await startLabServer({
    routes: [trackingRoutes(store)],
    token: undefined,
    host: '127.0.0.1',
    port: 0,
    limits: DEFAULT_LIMITS,
  });
  const ask = async (path: string, init?: RequestInit): Promise<Answer> => {
    const response = await fetch(`http://127.0.0.1:${listener.port}/api/2.0/mlflow/${path}`, init);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  return {
    store,
    url: `http://127.0.0.1:${listener.port}`,
    get: (path) => ask(path),
    send: (method, path, body) =>
      ask(path, {
        method,
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      }),
    close: () => listener.close(),
  };
}
