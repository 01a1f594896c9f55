import { SluiceError } from '../../core/contract';
import type { EngineStatus, WireError } from '../../core/contract';
import {
  createBudgetStore,
  createEndpointsStore,
  createEngineStore,
  createFleetStore,
  createJobsStore,
  createLabStore,
  createLanguageStore,
  createLayoutStore,
  createLibraryStore,
  createModelsStore,
  createOffloadStore,
  createRunSetupStore,
  createRunsStore,
  createTelemetryHub,
  MAX_DECISIONS,
} from '../stores';
import { strings } from '../strings';
import { createBoxSessions } from './box-sessions';
import { followFleet, loadFleet } from './fleet';
import { followLab, loadLab } from './lab';
import { followLanguage, loadLanguage } from './language';
import type { Session, SessionParts } from './session-types';

function lostWork(status: Extract<EngineStatus, { readonly reason: string }>): WireError {
  return {
    code: 'engine-down',
    message: strings.connection.stopped(status.reason),
    details: {},
  };
}

/** What the frame and the Run panel show: an engine that starts answers this before it loads what the rest needs. */
function loadFirst(session: Session): readonly Promise<unknown>[] {
  const { client } = session;
  return [
    client.request('engine.info', {}).then(session.engine.getState().actions.setInfo),
    client.request('models.list', {}).then(session.models.getState().actions.setModels, (thrown: unknown) => {
      session.models.getState().actions.failLoading(SluiceError.from(thrown).toWire());
    }),
    client.request('models.removed', {}).then(session.models.getState().actions.setRemoved),
    client.request('jobs.list', {}).then(session.jobs.getState().actions.replaceAll),
    client.request('runs.list', {}).then(session.runs.getState().actions.replaceAll),
    client.request('budget.get', {}).then(session.budget.getState().actions.setBudget),
    client.request('device.info', {}).then(session.engine.getState().actions.setDevice),
    client.request('telemetry.watch', { on: true }),
  ];
}

function loadRest(session: Session): readonly Promise<unknown>[] {
  const { client } = session;
  return [
    client
      .request('endpoints.list', {})
      .then(session.endpoints.getState().actions.setEndpoints, (thrown: unknown) => {
        session.endpoints.getState().actions.failLoading(SluiceError.from(thrown).toWire());
      }),
    client
      .request('offload.state', {})
      .then(session.offload.getState().actions.setDeployment, (thrown: unknown) => {
        session.offload.getState().actions.failLoading(SluiceError.from(thrown).toWire());
      }),
    client
      .request('offload.decisions', { limit: MAX_DECISIONS })
      .then(session.offload.getState().actions.addDecisions),
    ...loadLanguage(session),
    ...loadLab(session),
    ...(session.home === session ? loadFleet(session) : []),
  ];
}

/** Asks a fresh engine for everything it knows. A failure of one part leaves the others. */
async function refresh(session: Session, onAnswered: () => void): Promise<void> {
  const first = loadFirst(session);
  const loads = [...first, ...loadRest(session)];
  void Promise.allSettled(first).then(onAnswered);
  for (const settled of await Promise.allSettled(loads)) {
    if (settled.status === 'fulfilled') continue;
    const error = SluiceError.from(settled.reason);
    // An engine that died meanwhile is told by its status; anything else is a fault worth a trace.
    if (error.code !== 'engine-down') console.error(error);
  }
}

function once(call: (() => void) | undefined): () => void {
  let isCalled = false;
  return () => {
    if (!isCalled) call?.();
    isCalled = true;
  };
}

async function askKeychain({ host, endpoints }: Session): Promise<void> {
  const { setKeychain } = endpoints.getState().actions;
  try {
    setKeychain(await host.keychain.state());
  } catch (thrown) {
    setKeychain({ available: false, reason: SluiceError.from(thrown).message });
  }
}

/** A removed endpoint can't be put back by another engine: its kept token goes for good. */
function forgetRemoved({ endpoints, host }: Session): void {
  const { removed, actions } = endpoints.getState();
  if (removed === undefined) return;
  actions.setRemoved(undefined);
  host.keychain.forget(removed.id).catch((thrown: unknown) => console.error(thrown));
}

function follow(session: Session, { onAnswered, onFilled }: SessionParts): void {
  const { client } = session;
  const answered = once(onAnswered);
  const filled = once(onFilled);
  const fill = async (): Promise<void> => {
    await refresh(session, answered);
    filled();
  };
  const onStatus = (status: EngineStatus): void => {
    session.engine.getState().actions.setStatus(status);
    if (status.state === 'ok') void fill();
    // A browser that lost its connection can't know what became of the work; the next listing tells.
    if (session.host.kind === 'electron' && (status.state === 'restarting' || status.state === 'down')) {
      session.runs.getState().actions.failRunning(lostWork(status));
      session.jobs.getState().actions.failRunning(lostWork(status));
      session.language.getState().actions.failRunning(lostWork(status));
      forgetRemoved(session);
    }
  };
  client.onStatus(onStatus);
  client.on('models', session.models.getState().actions.setModels);
  client.on('removed', session.models.getState().actions.setRemoved);
  client.on('job', session.jobs.getState().actions.update);
  client.on('run', session.runs.getState().actions.update);
  client.on('result', ({ runId, result }) => session.runs.getState().actions.setResult(runId, result));
  client.on('budget', session.budget.getState().actions.setBudget);
  client.on('telemetry', session.telemetry.push);
  client.on('endpoints', session.endpoints.getState().actions.setEndpoints);
  client.on('offload', session.offload.getState().actions.setDeployment);
  client.on('decisions', session.offload.getState().actions.addDecisions);
  followLanguage(session);
  followLab(session);
  if (session.home === session) followFleet(session);
  onStatus(client.status());
}

/** Creates the stores and keeps them fed for as long as the page lives. */
export function createSession(parts: SessionParts): Session {
  const home = (): Session => parts.home ?? session;
  const session: Session = {
    client: parts.client,
    host: parts.host,
    engine: createEngineStore(),
    models: createModelsStore(),
    jobs: createJobsStore(parts.nowMs),
    runs: createRunsStore(),
    budget: createBudgetStore(),
    layout: createLayoutStore(parts.storage, parts.defaultPanel),
    library: createLibraryStore(),
    runSetup: createRunSetupStore(),
    endpoints: createEndpointsStore(),
    offload: createOffloadStore(),
    language: createLanguageStore(parts.nowMs),
    lab: createLabStore(parts.storage),
    telemetry: createTelemetryHub(parts.nowMs),
    fleet: parts.home?.fleet ?? createFleetStore(parts.nowMs),
    boxes: parts.home?.boxes ?? createBoxSessions({ home, parts, create: createSession }),
    get home() {
      return home();
    },
  };
  follow(session, parts);
  void askKeychain(session);
  return session;
}
