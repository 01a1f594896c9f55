import { describe, expect, it, vi } from 'vitest';

import { SluiceError } from '../../../core/contract';
import type { KeychainState, RequestInput } from '../../../core/contract';
import { fakeEndpoint } from '../../test-support/fake-offload';
import { createTestSession } from '../../test-support/test-session';
import {
  addEndpoint,
  discardRemoved,
  forgetToken,
  removeEndpoint,
  restoreEndpoint,
  setToken,
  testEndpoint,
} from './endpoint-actions';
import { healthConcern, isEndpointUrl } from './health';

const EDGE = fakeEndpoint({ name: 'edge-7' });
const SECRET = 'hunter2-hunter2';

/** A session whose engine takes everything; `log` holds what engine and keychain were told, in order. */
async function bench(state: KeychainState, failing: readonly string[] = []) {
  const log: string[] = [];
  const tell = (what: string): void => {
    log.push(what);
    if (failing.some((part) => what.startsWith(part)))
      throw new SluiceError('io', 'the keychain is locked. Unlock it and set the token again.');
  };
  const { session, engine, setStatus } = createTestSession({
    host: {
      keychain: {
        state: () => Promise.resolve(state),
        keep: async (id, token) => tell(`keep ${id} ${token}`),
        forget: async (id) => tell(`forget ${id}`),
      },
    },
  });
  const answer = (input: RequestInput<'endpoints.setToken'>) => {
    tell(`setToken ${input.token ?? 'nothing'} kept=${input.kept}`);
    const token = input.token === undefined ? 'none' : input.kept ? 'keychain' : 'until-restart';
    return fakeEndpoint({ name: 'edge-7', token });
  };
  engine.script({
    'endpoints.add': ({ name, token }) =>
      fakeEndpoint({ name, token: token === undefined ? 'none' : 'until-restart' }),
    'endpoints.setToken': answer,
    'endpoints.remove': () => ({}),
    'endpoints.restore': () => EDGE,
  });
  setStatus({ state: 'ok' });
  await vi.waitFor(() => expect(session.endpoints.getState().endpoints).toBeDefined());
  await vi.waitFor(() => expect(session.endpoints.getState().keychain).toEqual(state));
  return { session, engine, log, setStatus };
}

const WITH = { available: true } as const;
const WITHOUT = { available: false, reason: 'no keyring is running' } as const;
const ADDED = { name: 'edge-7', tier: 'edge', url: 'http://edge-7:8000', token: SECRET } as const;

describe('tokens', () => {
  it('go to the engine, then to the keychain, and only then count as kept', async () => {
    const { session, log } = await bench(WITH);
    expect(await addEndpoint(session, ADDED)).toBe(true);
    expect(log).toEqual([`keep id-edge-7 ${SECRET}`, `setToken ${SECRET} kept=true`]);
    expect(session.endpoints.getState().endpoints?.[0]?.token).toBe('keychain');
    log.length = 0;
    await setToken(session, EDGE, SECRET);
    expect(log).toEqual([
      `setToken ${SECRET} kept=false`,
      `keep id-edge-7 ${SECRET}`,
      `setToken ${SECRET} kept=true`,
    ]);
  });

  it('stay in the engine where there is no keychain', async () => {
    const { session, log } = await bench(WITHOUT);
    await addEndpoint(session, ADDED);
    await setToken(session, EDGE, SECRET);
    expect(log).toEqual([`setToken ${SECRET} kept=false`]);
    expect(session.endpoints.getState().endpoints?.[0]?.token).toBe('until-restart');
    expect(session.endpoints.getState().fault).toBeUndefined();
  });

  it('that a keychain refuses are said to be kept nowhere, and an older one does not come back', async () => {
    const { session, log } = await bench(WITH, ['keep']);
    await setToken(session, EDGE, SECRET);
    expect(log.at(-1)).toBe('forget id-edge-7');
    expect(log).not.toContain(`setToken ${SECRET} kept=true`);
    expect(session.endpoints.getState().fault).toMatchObject({ id: 'id-edge-7', error: { code: 'io' } });
    expect(session.endpoints.getState().endpoints?.[0]?.token).toBe('until-restart');
  });

  it('never reach a store', async () => {
    const { session } = await bench(WITH);
    await addEndpoint(session, ADDED);
    await setToken(session, EDGE, SECRET);
    const stores = [session.endpoints, session.offload, session.layout, session.engine];
    for (const store of stores) expect(JSON.stringify(store.getState())).not.toContain(SECRET);
  });

  it('are forgotten in the keychain first; one that can’t be is said to be there still', async () => {
    const { session, log } = await bench(WITH);
    await forgetToken(session, EDGE);
    expect(log).toEqual(['forget id-edge-7', 'setToken nothing kept=false']);
    const broken = await bench(WITH, ['forget']);
    await forgetToken(broken.session, EDGE);
    expect(broken.log).toEqual(['forget id-edge-7']);
    expect(broken.session.endpoints.getState().fault?.title).toContain('was not forgotten');
  });
});

describe('removals', () => {
  it('keep the token until they can’t be undone any more', async () => {
    const { session, log } = await bench(WITH);
    const other = fakeEndpoint({ name: 'cloud-eu', tier: 'cloud' });
    session.endpoints.getState().actions.setEndpoints([EDGE, other]);
    session.endpoints.getState().actions.select(EDGE.id);
    await removeEndpoint(session, EDGE);
    expect(session.endpoints.getState()).toMatchObject({ removed: { name: 'edge-7' }, selected: undefined });
    expect(log).toEqual([]);
    await removeEndpoint(session, other);
    expect(log).toEqual(['forget id-edge-7']);
    await discardRemoved(session);
    expect(log).toEqual(['forget id-edge-7', 'forget id-cloud-eu']);
    expect(session.endpoints.getState()).toMatchObject({ endpoints: [], removed: undefined });
  });

  it('are undone with the endpoint in view', async () => {
    const { session } = await bench(WITH);
    session.endpoints.getState().actions.setEndpoints([EDGE]);
    await removeEndpoint(session, EDGE);
    await restoreEndpoint(session, EDGE);
    expect(session.endpoints.getState()).toMatchObject({
      endpoints: [{ name: 'edge-7' }],
      selected: 'id-edge-7',
      removed: undefined,
    });
  });

  it('are final once the engine ended', async () => {
    const { session, log, setStatus } = await bench(WITH);
    session.endpoints.getState().actions.setEndpoints([EDGE]);
    await removeEndpoint(session, EDGE);
    setStatus({ state: 'restarting', reason: 'it fell over', restarts: 1 });
    expect(session.endpoints.getState().removed).toBeUndefined();
    expect(log).toEqual(['forget id-edge-7']);
  });
});

it('a test keeps its steps, or why there are none', async () => {
  const { session, engine } = await bench(WITHOUT);
  engine.script({
    'endpoints.test': () => ({ ok: true, steps: [{ step: 'connect', ok: true, ms: 1.2, text: 'h2' }] }),
  });
  await testEndpoint(session, EDGE.id);
  expect(session.endpoints.getState().tests[EDGE.id]).toMatchObject({ state: 'done', test: { ok: true } });
  engine.script({
    'endpoints.test': () => {
      throw new SluiceError('not-found', 'No endpoint "x".');
    },
  });
  await testEndpoint(session, EDGE.id);
  expect(session.endpoints.getState().tests[EDGE.id]).toMatchObject({ state: 'failed' });
});

it.each([
  ['https://edge-7:8000', true],
  ['http://10.0.0.2/triton', true],
  ['edge-7:8000', false],
  ['http://user:pass@edge-7', false],
  ['ftp://edge-7', false],
  ['', false],
])('an address like %j can be one: %s', (text, can) => expect(isEndpointUrl(text)).toBe(can));

it('tells what is wrong from what is not as it should be', () => {
  const concern = (health: Parameters<typeof fakeEndpoint>[0]['health']) =>
    healthConcern(fakeEndpoint({ name: 'x', health: health ?? {} }));
  expect(concern({})).toBe('none');
  expect(concern({ state: 'unreachable' })).toBe('failure');
  expect(concern({ state: 'refused' })).toBe('failure');
  expect(concern({ breaker: 'half-open' })).toBe('degraded');
});
