import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { encodeWire, SluiceError } from '../../contract';
import { FakeClock, settle } from '../test-support/fake-clock';
import { Box } from './box';
import { FLEET_TIMES } from './fleet-times';
import type { BoxSocketEvents, Dial } from './box-socket';
import type { ToldEvent } from './told-events';

/** A box whose every frame the test writes. */
interface Wire {
  readonly events: BoxSocketEvents;
  readonly sent: Uint8Array[];
  pings: number;
  isPaused: boolean;
}

const KNOWN = { id: 'b', name: 'kitchen', url: 'http://127.0.0.1:1', hasToken: false };
const INFO = { version: '1.0.0', threads: 2, dataDir: '/d' };
const JOB = {
  id: 'j',
  kind: 'import',
  subject: 'm',
  phase: 'p',
  doneBytes: 0,
  totalBytes: 0,
  state: 'running',
  startedAt: '2026-01-01T00:00:00Z',
};

let clock: FakeClock;
let wires: Wire[];
let log: string[];
let box: Box;

const dial: Dial = (_target, events) => {
  const wire: Wire = { events, sent: [], pings: 0, isPaused: false };
  wires.push(wire);
  return {
    send: (frame) => wire.sent.push(frame),
    ping: () => (wire.pings += 1),
    bufferedBytes: () => 0,
    pause: () => (wire.isPaused = true),
    resume: () => (wire.isPaused = false),
    end: (reason) => events.onEnd({ isRefusal: false, reason }),
  };
};
const wire = (): Wire => wires.at(-1)!;
const frame = (message: unknown): void => wire().events.onFrame(encodeWire(message));

async function online(): Promise<void> {
  box.start(0);
  await clock.advance(0);
  wire().events.onOpen();
  frame({ id: 1, reply: { ok: true, value: INFO } });
  await settle();
}

beforeEach(() => {
  clock = new FakeClock();
  wires = [];
  log = [];
  box = new Box(KNOWN, undefined, {
    dial,
    clock,
    random: () => 1,
    times: FLEET_TIMES,
    version: '1.0.1',
    log: (line) => log.push(line),
    onChange: () => undefined,
  });
});
afterEach(() => box.close());

describe('a box that', () => {
  it('sends rubbish is cut off and tried again', async () => {
    await online();
    wire().events.onFrame(Uint8Array.of(0xc1));
    expect(box.view).toMatchObject({ state: 'connecting', reason: /not Sluice's protocol/ });
    await clock.advance(600);
    expect(wires).toHaveLength(2);
  });

  it.each([
    ['an unknown event', { event: 'reboot', payload: {} }],
    ['an event of a fleet', { event: 'fleetTold', payload: {} }],
    ['a job that is none', { event: 'job', payload: { ...JOB, state: 7 } }],
    [
      'telemetry of uneven columns',
      {
        event: 'telemetry',
        payload: { timeMs: new Float64Array(2), series: { cpuPct: new Float32Array(1) }, dropped: 0 },
      },
    ],
    ['a number', 7],
    ['nothing', null],
    ['a reply without an answer', { id: 1 }],
    ['a reply to nobody', { id: 99, reply: { ok: true, value: 1 } }],
  ])('sends %s is not believed, and stays', async (_what, message) => {
    await online();
    const heard: ToldEvent[] = [];
    box.follow((event) => heard.push(event));
    frame(message);
    frame({ event: 'job', payload: JOB });
    expect(heard).toEqual(['job']);
    expect(box.isOnline).toBe(true);
  });

  it('tells nonsense for ever fills no log', async () => {
    await online();
    box.follow(() => undefined);
    for (let count = 0; count < 500; count += 1) frame({ event: 'job', payload: null });
    expect(log).toHaveLength(1);
  });

  it('floods is read a part each second', async () => {
    await online();
    for (let count = 0; count < 2100; count += 1) frame({ event: 'labChange', payload: { parts: [] } });
    expect(wire().isPaused).toBe(true);
    await clock.advance(1000);
    expect(wire().isPaused).toBe(false);
    expect(box.isOnline).toBe(true);
  });

  it('never says who it is goes offline, and is tried ever more seldom', async () => {
    box.start(0);
    await clock.advance(0);
    for (let count = 1; count <= 6; count += 1) {
      expect(wires).toHaveLength(count);
      wire().events.onOpen();
      await clock.advance(FLEET_TIMES.helloMs);
      expect(box.view).toMatchObject({ state: 'offline', reason: /does not say who it is/ });
      const waitMs = 500 * 2 ** (count - 1);
      await clock.advance(waitMs - 1);
      expect(wires).toHaveLength(count);
      await clock.advance(1);
    }
  });

  it('never answers a request does not keep the caller', async () => {
    await online();
    const asked = box.request('models.list', {}, 5000);
    const failed = expect(asked).rejects.toMatchObject({ code: 'timeout' });
    await clock.advance(5000);
    await failed;
  });

  it('leaves too many requests waiting is asked no more', async () => {
    await online();
    const asked = Array.from({ length: 300 }, () => box.request('models.list', {}, 5000));
    const codes = asked.map((each) => each.catch((thrown: unknown) => SluiceError.from(thrown).code));
    await clock.advance(5000);
    const ended = await Promise.all(codes);
    expect(ended.filter((code) => code === 'overloaded').length).toBeGreaterThan(40);
    expect(ended.filter((code) => code === 'timeout').length).toBeGreaterThan(200);
  });

  it('goes away fails what waits for it', async () => {
    await online();
    const failed = expect(box.request('models.list', {}, 5000)).rejects.toMatchObject({
      code: 'engine-down',
    });
    wire().events.onEnd({ isRefusal: false, reason: 'gone' });
    await failed;
    expect(box.view.state).toBe('connecting');
  });

  it('hangs is found by its missing pongs, sooner while somebody looks', async () => {
    await online();
    box.setWatched(true);
    await clock.advance(FLEET_TIMES.pingMs * 2);
    expect(box.isOnline).toBe(true);
    await clock.advance(FLEET_TIMES.pingMs);
    expect(box.view).toMatchObject({ state: 'connecting', reason: /hangs/ });
  });

  it('answers pings stays, and its round trip is known', async () => {
    await online();
    for (let count = 0; count < 10; count += 1) {
      clock.spend(12);
      wire().events.onPong();
      await clock.advance(FLEET_TIMES.idlePingMs - 12);
    }
    expect(box.isOnline).toBe(true);
    expect(box.view.roundTripMs).toBe(12);
  });

  it('refuses ends the attempts until somebody asks', async () => {
    box.start(0);
    await clock.advance(0);
    wire().events.onEnd({ isRefusal: true, reason: 'token' });
    await clock.advance(3_600_000);
    expect(wires).toHaveLength(1);
    expect(box.view).toMatchObject({ state: 'refused', reason: 'token' });
    box.restart();
    await clock.advance(0);
    expect(wires).toHaveLength(2);
  });
});

it('is not read while nobody looks', async () => {
  await online();
  expect(box.view.figures).toBeUndefined();
  expect(wire().sent).toHaveLength(1);
  box.setWatched(true);
  await settle();
  expect(wire().sent.length).toBeGreaterThan(5);
});
