import fc from 'fast-check';
import { expect, it } from 'vitest';

import { encodeWire } from '../../contract';
import { eventOfFrame } from './frame-event';

it.each(['job', 'telemetry', 'languageProgress'])('reads %s without its payload', (event) => {
  expect(eventOfFrame(encodeWire({ event, payload: { a: [1, 2, 3] } }))).toBe(event);
});

it('takes nothing else for an event', () => {
  expect(eventOfFrame(encodeWire({ id: 1, reply: { ok: true, value: {} } }))).toBeUndefined();
  expect(eventOfFrame(encodeWire({ payload: 1, event: 'job' }))).toBeUndefined();
  expect(eventOfFrame(encodeWire({ event: 7, payload: 1 }))).toBeUndefined();
  fc.assert(fc.property(fc.uint8Array(), (bytes) => eventOfFrame(bytes) === undefined));
});
