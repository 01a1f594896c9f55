import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { decodeWire, encodeWire, SluiceError } from '../../contract';
import type { EngineMessage, RequestName } from '../../contract';
import { nearly, rubbish } from '../../contract/test-support/rubbish';
import { connect } from '../connection';
import { dispatch } from '../dispatch';
import { EventBus } from '../event-bus';
import { parentMessageOf } from '../parent-message';
import type { Services } from '../services';
import { PLAIN_CLIENT } from '../test-support/plain-client';
import { WHOLE_INPUTS } from '../test-support/whole-inputs';

/** What is behind the requests is not there: whatever a handler asks of it says so. */
const NOTHING_THERE: unknown = new Proxy(() => undefined, {
  get: (_target, name) => (name === 'then' ? undefined : NOTHING_THERE),
  apply: () => {
    throw new SluiceError('unavailable', 'nothing is there');
  },
});
const services = new Proxy(
  { bus: new EventBus() },
  { get: (target, name) => (name === 'bus' ? target.bus : NOTHING_THERE) },
) as unknown as Services;

const NAMES = Object.keys(WHOLE_INPUTS) as readonly RequestName[];
/** Longer ones are echoes of what came. */
const MOST_LETTERS = 8000;
const request = fc.constantFrom<string>(...NAMES, '__proto__', 'constructor', 'fs.readFile');

/** [request, input]: rubbish for one, or a sound input with rubbish in it. */
const asked = fc.oneof(
  fc.tuple(fc.oneof(request, rubbish), rubbish),
  ...NAMES.map((name) => fc.tuple(fc.constant<unknown>(name), nearly(WHOLE_INPUTS[name]))),
);

function expectAnswer(reply: Awaited<ReturnType<typeof dispatch>>): void {
  if (reply.ok) return;
  expect(['bad-input', 'unavailable', 'not-found', 'unsupported'], reply.error.message).toContain(
    reply.error.code,
  );
  expect(reply.error.message.length).toBeLessThan(MOST_LETTERS);
}

describe('requests', () => {
  it('are answered, whatever they carry', async () => {
    await fc.assert(
      fc.asyncProperty(asked, async ([name, input]) => {
        expectAnswer(await dispatch(services, PLAIN_CLIENT, name, input));
      }),
      { numRuns: process.env['SLUICE_FUZZ'] === '1' ? 5000 : 1000 },
    );
  });

  const circle: Record<string, unknown> = {};
  circle['name'] = circle;
  const holes: unknown[] = [];
  holes.length = 2 ** 32 - 1;

  it.each<readonly [string, unknown, unknown, RegExp]>([
    ['a name without text', { toString: 5 }, {}, /unknown request of type object; expected one of engine/],
    ['a long name', 'a'.repeat(1e6), {}, /unknown request a{60}\.\.\.; expected/],
    ['a circle', 'models.inspect', circle, /models\.inspect: .* nested more than 64 deep, or in a circle/],
    ['an array of holes', 'lab.remove', { runs: holes }, /lab\.remove: .* more than 100000 values/],
    ['many faults', 'lab.remove', { runs: new Array(9000).fill(7) }, /runs\.19: .*; and 8980 more\.$/],
    ['a long key', 'models.list', { ['k'.repeat(1e6)]: 1 }, /Unrecognized key: "k{250,}\.{4}$/],
    [
      'a length that can not be compared',
      'models.inspect',
      { name: { length: { toString: 5, valueOf: 5 } } },
      /models\.inspect: expected the input of one request, found values that can't be compared/,
    ],
  ])('with %s are refused', async (_what, name, input, message) => {
    const reply = await dispatch(services, PLAIN_CLIENT, name, input);
    expect(reply).toMatchObject({ ok: false, error: { code: 'bad-input' } });
    expect(reply.ok ? '' : reply.error.message).toMatch(message);
  });
});

describe('a connection', () => {
  it('answers each message that has an id and a request once, and others not at all', async () => {
    const message = fc.oneof(
      rubbish,
      fc.record(
        {
          id: fc.oneof(fc.integer(), fc.constant(NaN), rubbish),
          request: fc.oneof(request, rubbish),
          input: rubbish,
        },
        { requiredKeys: [] },
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(message, { maxLength: 5 }), async (messages) => {
        const sent: EngineMessage[] = [];
        await new Promise<void>((answered) => {
          const send = (one: EngineMessage): void => {
            sent.push(one);
            if ('id' in one && one.id === -7.5) answered();
          };
          const connection = connect(services, { send, pressure: () => 'free' }, () => undefined);
          for (const one of messages) connection.receive(one);
          connection.receive({ id: -7.5, request: 'inputs.examples', input: {} });
        });
        // Replies that needed more turns of the event loop.
        await new Promise((turn) => setImmediate(turn));
        const due = messages.filter(
          (one) =>
            typeof one === 'object' &&
            one !== null &&
            'request' in one &&
            'id' in one &&
            typeof one.id === 'number',
        );
        expect(sent).toHaveLength(due.length + 1);
      }),
    );
  });
});

const sound = encodeWire({ id: 1, request: 'runs.start', input: WHOLE_INPUTS['runs.start'] });

describe('frames of a socket', () => {
  it('are read or refused as bad input, and what is read is answered', async () => {
    const edited = fc
      .tuple(fc.nat(sound.length - 1), fc.nat(6), fc.uint8Array({ maxLength: 6 }))
      .map(([at, removed, put]) => Buffer.concat([sound.subarray(0, at), put, sound.subarray(at + removed)]));
    const frame = fc.oneof(edited, fc.uint8Array({ maxLength: 300 }));
    await fc.assert(
      fc.asyncProperty(frame, async (bytes) => {
        const message = readFrame(bytes);
        if (typeof message !== 'object' || message === null) return;
        const { request: name, input } = message as { request?: unknown; input?: unknown };
        expectAnswer(await dispatch(services, PLAIN_CLIENT, name, input));
      }),
      { numRuns: 2000 },
    );
  });

  const head = (first: number, length: number): number[] => [
    first,
    ...[24, 16, 8, 0].map((shift) => (length >>> shift) & 255),
  ];
  const nested = (levels: number, one: number[]): number[] =>
    Array.from({ length: levels }, () => one).flat();

  it.each<readonly [string, number[], RegExp]>([
    [
      'an array of four billion',
      head(0xdd, 2 ** 32 - 1),
      /4294967295 more values after byte 5, which do not fit/,
    ],
    // Each would take 256 MB.
    [
      'arrays in arrays',
      nested(40, head(0xdd, 33_000_000)),
      /33000000 more values after byte 5, which do not fit/,
    ],
    ['a map of four billion', head(0xdf, 2 ** 32 - 1), /8589934590 more values/],
    [
      'arrays that share what is left',
      [...nested(50, [0xdc, 0, 99]), ...new Array<number>(150).fill(0)],
      /do not fit/,
    ],
    ['more levels than are sent', nested(5000, [0x91]), /nested more than 100 deep at byte 101/],
    ['a text past the end', head(0xdb, 1000), /a value of 1005 bytes at byte 0, past the end/],
    ['bytes past the end', head(0xc6, 2 ** 31), /a value of 2147483653 bytes at byte 0, past the end/],
    ['an extension past the end', head(0xc9, 9), /a value of 15 bytes at byte 0, past the end/],
    ['half a length', [0xdd, 0], /the end in the middle of a length at byte 0/],
    ['the byte that stands for nothing', [0xc1], /no MessagePack value at byte 0/],
    ['a prototype', [0x81, 0xa9, ...Buffer.from('__proto__'), 0x80], /__proto__ is not allowed/],
    ['a key that is a map', [0x81, 0x80, 0x01], /type of key must be/],
  ])('with %s are refused', (_what, bytes, message) => {
    expect(() => decodeWire(Uint8Array.from(bytes))).toThrow(message);
    expect(() => decodeWire(Uint8Array.from(bytes))).toThrow(SluiceError);
  });
});

function readFrame(bytes: Uint8Array): unknown {
  try {
    return decodeWire(bytes);
  } catch (thrown) {
    expect(thrown).toMatchObject({ name: 'SluiceError', code: 'bad-input' });
    return undefined;
  }
}

describe('messages of the main process', () => {
  it('are taken or refused, never thrown over', () => {
    const message = fc.oneof(rubbish, nearly({ kind: 'tokens', tokens: { edge: 'a' }, missing: ['b'] }));
    fc.assert(
      fc.property(message, (data) => {
        const logged: string[] = [];
        const taken = parentMessageOf(data, (line) => logged.push(line));
        if (taken === undefined) expect(logged).toHaveLength(1);
        expect(logged.join('').length).toBeLessThan(MOST_LETTERS);
      }),
      { numRuns: process.env['SLUICE_FUZZ'] === '1' ? 5000 : 1000 },
    );
  });
});
