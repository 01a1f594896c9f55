/** MessagePack of `{"event": ...}`: a map of two, and a string of five letters. */
const EVENT_HEAD = Uint8Array.of(0x82, 0xa5, 0x65, 0x76, 0x65, 0x6e, 0x74);
const FIXED_STRING = 0xa0;
const LONGEST_FIXED_STRING = 31;

/**
 * The event that a frame tells, without reading its payload: most events of a fleet are dropped, and decoding them all
 * would cost more than all else. @returns undefined for other frames, and for events written in another order.
 */
export function eventOfFrame(frame: Uint8Array): string | undefined {
  if (!EVENT_HEAD.every((byte, at) => frame[at] === byte)) return undefined;
  const length = (frame[EVENT_HEAD.length] ?? 0) - FIXED_STRING;
  if (length < 1 || length > LONGEST_FIXED_STRING) return undefined;
  const start = EVENT_HEAD.length + 1;
  return String.fromCharCode(...frame.subarray(start, start + length));
}
