import { describe, expect, it, vi } from 'vitest';

import { SluiceError } from '../../core/contract';
import type { EventName, FleetBox } from '../../core/contract';
import { createSession } from '.';
import type { Session } from '.';
import { showBox } from './fleet';
import { fakeBatch } from '../test-support/fake-engine';
import { fakeBox } from '../test-support/fake-fleet';
import { createTestSession } from '../test-support/test-session';
import type { TestSession } from '../test-support/test-session';

/** A client that counts who listens. */
function countedBench(): TestSession & { readonly listeners: () => number } {
  const bench = createTestSession({});
  const { client, host } = bench.session;
  let listeners = 0;
  const counted = (stop: () => void): (() => void) => {
    listeners += 1;
    return () => {
      listeners -= 1;
      stop();
    };
  };
  const storage = { getItem: () => null, setItem: () => undefined };
  const session = createSession({
    client: {
      ...client,
      on: <E extends EventName>(...args: Parameters<typeof client.on<E>>) => counted(client.on(...args)),
      onStatus: (listener) => counted(client.onStatus(listener)),
    },
    host,
    storage,
    defaultPanel: 'run',
    nowMs: () => 0,
  });
  return { ...bench, session, listeners: () => listeners };
}

const BOXES = ['a', 'b', 'c', 'd', 'e'].map((id) => fakeBox({ id }));

async function attached(boxes: readonly FleetBox[] = BOXES) {
  const bench = countedBench();
  bench.engine.script({
    'fleet.list': () => boxes,
    'fleet.ask': ({ request }) => {
      if (request === 'models.list') return [];
      throw new SluiceError('engine-down', `nobody scripts ${request} of a box`);
    },
  });
  bench.setStatus({ state: 'ok' });
  await vi.waitFor(() => expect(bench.session.fleet.getState().boxes?.size).toBe(boxes.length));
  return bench;
}

const follows = ({ engine }: TestSession) =>
  engine.received.filter(({ request }) => request === 'fleet.follow').map(({ input }) => input);
const sessionOf = (home: Session, box: string): Session => {
  const session = home.boxes.get(box);
  if (session === undefined) throw new Error(`no session of ${box}`);
  return session;
};
const stateOf = (home: Session, box: string): string => sessionOf(home, box).engine.getState().status.state;
const okOf = (home: Session, box: string) => vi.waitFor(() => expect(stateOf(home, box)).toBe('ok'));

describe('sessions of other boxes', () => {
  it('shows a box once it is followed, asks through this machine, and hears what the box tells', async () => {
    const bench = await attached();
    const { session: home, engine } = bench;
    showBox(home, 'a');
    expect(home.fleet.getState().shown).toBe('a');
    await okOf(home, 'a');
    const box = sessionOf(home, 'a');
    await vi.waitFor(() => expect(box.models.getState().models).toEqual([]));
    const asked = engine.received.filter(({ request }) => request === 'fleet.ask');
    expect(asked.every(({ input }) => (input as { box: string }).box === 'a')).toBe(true);
    // The fleet is this machine's: a box is asked nothing about its own.
    expect(asked.some(({ input }) => /^fleet|telemetry/.test((input as { request: string }).request))).toBe(
      false,
    );
    engine.emit('fleetTold', { box: 'b', event: 'telemetry', payload: fakeBatch(1, 1) });
    expect(box.telemetry.latest.getState().latest).toBeUndefined();
    engine.emit('fleetTold', { box: 'a', event: 'telemetry', payload: fakeBatch(1, 1) });
    expect(box.telemetry.latest.getState().latest?.values.cpuPct).toBeGreaterThan(0);
    expect(home.telemetry.latest.getState().latest).toBeUndefined();
  });

  it('keeps three, unfollows the others, and leaves no listener behind', async () => {
    const bench = await attached();
    const { session: home } = bench;
    const before = bench.listeners();
    showBox(home, 'a');
    const each = bench.listeners() - before;
    for (const id of ['b', 'c', 'a', 'd']) {
      showBox(home, id);
      await okOf(home, id);
    }
    expect(home.boxes.open()).toEqual(['c', 'a', 'd']);
    expect(bench.listeners()).toBe(before + 3 * each);
    expect(follows(bench)).toContainEqual({ box: 'b', on: false });
    for (const id of home.boxes.open()) home.boxes.close(id);
    expect(bench.listeners()).toBe(before);
    const opened = follows(bench) as { box: string; on: boolean }[];
    const left = new Map(opened.map(({ box, on }) => [box, on]));
    expect([...left.values()]).toEqual([false, false, false, false]);
  });

  it('lives through a box that goes and comes, and through this machine’s engine', async () => {
    const bench = await attached();
    const { session: home, engine } = bench;
    showBox(home, 'a');
    await okOf(home, 'a');
    const gone = fakeBox({ id: 'a', state: 'offline', reason: 'it does not answer' });
    engine.emit('fleet', { changed: [gone], removed: [] });
    expect(sessionOf(home, 'a').engine.getState().status).toEqual({
      state: 'down',
      reason: 'it does not answer',
    });
    expect(home.engine.getState().status.state).toBe('ok');
    engine.emit('fleet', { changed: [fakeBox({ id: 'a' })], removed: [] });
    await okOf(home, 'a');
    bench.setStatus({ state: 'restarting', reason: 'it died', restarts: 1 });
    expect(stateOf(home, 'a')).toBe('restarting');
    bench.setStatus({ state: 'ok' });
    await okOf(home, 'a');
    expect(follows(bench)).toHaveLength(3);
  });

  it('goes back to this machine when the box in view is removed', async () => {
    const bench = await attached();
    const { session: home, engine } = bench;
    const before = bench.listeners();
    showBox(home, 'a');
    await okOf(home, 'a');
    engine.emit('fleet', { changed: [], removed: ['a'] });
    expect(home.fleet.getState().shown).toBeUndefined();
    expect(home.boxes.open()).toEqual([]);
    expect(bench.listeners()).toBe(before);
  });

  it('takes the panel in view along, and remembers models by box', async () => {
    const { session: home } = await attached();
    home.layout.getState().actions.setPanel('device');
    showBox(home, 'a');
    expect(sessionOf(home, 'a').layout.getState().panel).toBe('device');
    sessionOf(home, 'a').layout.getState().actions.setPanel('models');
    showBox(home, undefined);
    expect(home.layout.getState().panel).toBe('models');
    showBox(home, 'b', 'run');
    expect(sessionOf(home, 'b').layout.getState().panel).toBe('run');
  });

  it('sends a file of this machine before a box uses it, with its progress', async () => {
    const bench = await attached();
    const { session: home, engine } = bench;
    engine.script({
      'fleet.sendFile': ({ jobId, box, path }) => {
        const job = { id: jobId, kind: 'push', subject: path, phase: 'sending', state: 'running' } as const;
        engine.emit('job', { ...job, doneBytes: 7, totalBytes: 10, startedAt: '' });
        return { path: `/staging/${box}${path}` };
      },
    });
    showBox(home, 'a');
    const { host } = sessionOf(home, 'a');
    const progress: unknown[] = [];
    const send = host.sendLocal?.('/m.onnx', (...args) => progress.push(args), new AbortController().signal);
    expect(await send).toBe('/staging/a/m.onnx');
    expect(progress).toEqual([[7, 10]]);
    expect(host.chooseFolder).toBeUndefined();
    const dropped = new File(['x'], 'x.onnx');
    expect(host.dropped(dropped).kind).toBe('file');
  });
});
