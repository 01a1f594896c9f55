import type { EngineStatus, ModelSummary } from '../../core/contract';
import { createSession } from '../session';
import type { Session } from '../session';
import type { EngineClient, HostServices } from '../transport';
import { createExchange } from '../transport/exchange';
import { createFakeEngine } from './fake-engine';
import type { FakeEngine } from './fake-engine';
import { NO_KEYCHAIN } from './no-keychain';

export interface TestSession {
  readonly session: Session;
  readonly engine: FakeEngine;
  readonly setStatus: (status: EngineStatus) => void;
}

export interface TestSessionOptions {
  readonly models?: readonly ModelSummary[];
  readonly kind?: HostServices['kind'];
  readonly host?: Partial<HostServices>;
}

/** A session over a scripted engine. The engine is `starting` until `setStatus` says otherwise. */
export function createTestSession({
  models = [],
  kind = 'electron',
  host = {},
}: TestSessionOptions): TestSession {
  const exchange = createExchange();
  const engine = createFakeEngine({ send: (message) => exchange.receive(message), models });
  let status: EngineStatus = { state: 'starting' };
  const listeners = new Set<(status: EngineStatus) => void>();
  const client: EngineClient = {
    request: exchange.request,
    on: exchange.on,
    status: () => status,
    onStatus: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    revive: () => undefined,
  };
  const services: HostServices = {
    kind,
    chooseModel: () => Promise.resolve(undefined),
    chooseLanguageModel: () => Promise.resolve(undefined),
    chooseImage: () => Promise.resolve(undefined),
    dropped: (file) => ({ kind: 'file', name: file.name, file }),
    upload: (file) => Promise.resolve(`/staging/${file.name}`),
    saveText: () => Promise.resolve(undefined),
    keychain: NO_KEYCHAIN,
    ...host,
  };
  const storage = { getItem: () => null, setItem: () => undefined };
  const session = createSession({ client, host: services, storage, defaultPanel: 'run', nowMs: () => 0 });
  const setStatus = (next: EngineStatus): void => {
    status = next;
    if (next.state === 'ok') exchange.attach({ send: (message) => void engine.receive(message) });
    else exchange.detach('reason' in next ? next.reason : 'starting');
    for (const listener of listeners) listener(next);
  };
  return { session, engine, setStatus };
}
