import { SluiceError } from '../../../core/contract';
import type { EndpointRecord, NewEndpoint } from '../../../core/contract';
import type { Session } from '../../session';
import { strings } from '../../strings';

const STRINGS = strings.endpoints;

/** Tries one thing; a failure is kept for the panel, under what was not done. @returns whether it worked. */
async function attempt(
  session: Session,
  title: string,
  id: string | undefined,
  work: () => Promise<unknown>,
): Promise<boolean> {
  const { setFault } = session.endpoints.getState().actions;
  setFault(undefined);
  try {
    await work();
    return true;
  } catch (thrown) {
    setFault({ ...(id === undefined ? {} : { id }), title, error: SluiceError.from(thrown).toWire() });
    return false;
  }
}

/**
 * Gives a token that the engine has taken to the keychain, and then tells the engine that it is there. Without a
 * keychain nothing happens; one that fails is told, and what it kept before is forgotten: that token is no longer true.
 */
async function keepToken(session: Session, endpoint: EndpointRecord, token: string): Promise<void> {
  const { client, host, endpoints } = session;
  if (endpoints.getState().keychain?.available !== true) return;
  const { id, name } = endpoint;
  const kept = await attempt(session, STRINGS.add.notKept(name), id, () => host.keychain.keep(id, token));
  if (kept) {
    await attempt(session, STRINGS.faults.token(name), id, async () => {
      endpoints
        .getState()
        .actions.update(await client.request('endpoints.setToken', { id, token, kept: true }));
    });
  } else await host.keychain.forget(id).catch(() => undefined); // told above already: nothing is kept
}

/** Adds an endpoint and shows it. @returns whether the engine took it: then the form can be cleared. */
export async function addEndpoint(session: Session, endpoint: NewEndpoint): Promise<boolean> {
  const { actions } = session.endpoints.getState();
  return attempt(session, STRINGS.add.failed(endpoint.name), undefined, async () => {
    const added = await session.client.request('endpoints.add', endpoint);
    actions.update(added);
    actions.select(added.id);
    if (endpoint.token !== undefined) await keepToken(session, added, endpoint.token);
  });
}

/** Sets or replaces the token. @returns whether the engine took it. */
export async function setToken(session: Session, endpoint: EndpointRecord, token: string): Promise<boolean> {
  const { id, name } = endpoint;
  return attempt(session, STRINGS.faults.token(name), id, async () => {
    const updated = await session.client.request('endpoints.setToken', { id, token, kept: false });
    session.endpoints.getState().actions.update(updated);
    await keepToken(session, updated, token);
  });
}

export async function forgetToken(session: Session, endpoint: EndpointRecord): Promise<void> {
  const { id, name } = endpoint;
  await attempt(session, STRINGS.faults.forget(name), id, async () => {
    // First the copy that outlives the engine.
    await session.host.keychain.forget(id);
    const updated = await session.client.request('endpoints.setToken', { id, kept: false });
    session.endpoints.getState().actions.update(updated);
  });
}

/** Tests an endpoint step by step; what it found stays until the next test. */
export async function testEndpoint(session: Session, id: string): Promise<void> {
  const { setTest } = session.endpoints.getState().actions;
  setTest(id, { state: 'running' });
  try {
    setTest(id, { state: 'done', test: await session.client.request('endpoints.test', { id }) });
  } catch (thrown) {
    setTest(id, { state: 'failed', error: SluiceError.from(thrown).toWire() });
  }
}

/** Removes an endpoint; its token stays kept until the removal can't be undone any more. */
export async function removeEndpoint(session: Session, endpoint: EndpointRecord): Promise<void> {
  const { id, name } = endpoint;
  await attempt(session, STRINGS.faults.remove(name), id, async () => {
    await session.client.request('endpoints.remove', { id });
    const { actions, removed, selected, endpoints = [] } = session.endpoints.getState();
    actions.setEndpoints(endpoints.filter((other) => other.id !== id));
    actions.setTest(id, undefined);
    if (selected === id) actions.select(undefined);
    actions.setRemoved(endpoint);
    if (removed !== undefined) await forgetSecret(session, removed);
  });
}

export async function restoreEndpoint(session: Session, removed: EndpointRecord): Promise<void> {
  const { actions } = session.endpoints.getState();
  await attempt(session, STRINGS.faults.restore(removed.name), undefined, async () => {
    const endpoint = await session.client.request('endpoints.restore', { id: removed.id });
    actions.setRemoved(undefined);
    actions.update(endpoint);
    actions.select(endpoint.id);
  });
}

/** Gives up what could be put back, its kept token included. */
export async function discardRemoved(session: Session): Promise<void> {
  const { removed, actions } = session.endpoints.getState();
  if (removed === undefined) return;
  actions.setRemoved(undefined);
  await forgetSecret(session, removed);
}

async function forgetSecret(session: Session, { id, name }: EndpointRecord): Promise<void> {
  const { setFault } = session.endpoints.getState().actions;
  try {
    await session.host.keychain.forget(id);
  } catch (thrown) {
    setFault({ title: STRINGS.faults.secretStays(name), error: SluiceError.from(thrown).toWire() });
  }
}
