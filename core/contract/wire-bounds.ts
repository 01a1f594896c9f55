/** The encoder's own limit. */
const MOST_LEVELS = 100;

/** What follows a first byte of 0xc0 and above: bytes of a fixed value, or of a length, and what the length counts. */
type Shape =
  | { readonly fixed: number }
  | { readonly lengthBytes: 1 | 2 | 4; readonly of: 'bytes' | 'ext' | 'array' | 'map' };

/** By the first byte less 0xc0 (https://github.com/msgpack/msgpack/blob/master/spec.md). */
const SHAPES: readonly Shape[] = [
  ...fixed(0, 0, 0, 0),
  ...counted('bytes', 1, 2, 4),
  ...counted('ext', 1, 2, 4),
  ...fixed(4, 8, 1, 2, 4, 8, 1, 2, 4, 8),
  // An extension has its type before its bytes.
  ...fixed(2, 3, 5, 9, 17),
  ...counted('bytes', 1, 2, 4),
  ...counted('array', 2, 4),
  ...counted('map', 2, 4),
];

function fixed(...sizes: readonly number[]): readonly Shape[] {
  return sizes.map((bytes) => ({ fixed: bytes }));
}

function counted(
  of: 'bytes' | 'ext' | 'array' | 'map',
  ...lengthBytes: readonly (1 | 2 | 4)[]
): readonly Shape[] {
  return lengthBytes.map((bytes) => ({ lengthBytes: bytes, of }));
}

/**
 * Refuses a MessagePack frame that declares more than it can hold: the decoder makes an array as long as declared
 * before it looks for its elements, so that a few bytes could take gigabytes.
 * @throws RangeError that says at which byte.
 */
export function checkWireBounds(frame: Uint8Array): void {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  /** Values to come at each level that is open. */
  const open: number[] = [1];
  let waiting = 1;
  let at = 0;
  while (open.length > 0) {
    const level = open.length - 1;
    if (open[level] === 0) {
      open.pop();
      continue;
    }
    open[level] = (open[level] ?? 0) - 1;
    waiting -= 1;
    if (at >= frame.byteLength) throw new RangeError(`the end at byte ${at} in the middle of a value`);
    const { next, children } = step(view, at);
    if (next > frame.byteLength)
      throw new RangeError(`a value of ${next - at} bytes at byte ${at}, past the end`);
    waiting += children;
    if (waiting > frame.byteLength - next)
      throw new RangeError(`${waiting} more values after byte ${next}, which do not fit`);
    at = next;
    if (children > 0) open.push(children);
    if (open.length > MOST_LEVELS + 1)
      throw new RangeError(`values nested more than ${MOST_LEVELS} deep at byte ${at}`);
  }
}

/** Where the value that begins at `at` ends but for its children, and how many of those follow. */
function step(view: DataView, at: number): { readonly next: number; readonly children: number } {
  const first = view.getUint8(at);
  if (first < 0x80 || first >= 0xe0) return { next: at + 1, children: 0 };
  if (first < 0x90) return { next: at + 1, children: 2 * (first & 15) };
  if (first < 0xa0) return { next: at + 1, children: first & 15 };
  if (first < 0xc0) return { next: at + 1 + (first & 31), children: 0 };
  const shape = SHAPES[first - 0xc0];
  if (shape === undefined || first === 0xc1) throw new RangeError(`no MessagePack value at byte ${at}`);
  if ('fixed' in shape) return { next: at + 1 + shape.fixed, children: 0 };
  const body = at + 1 + shape.lengthBytes;
  if (body > view.byteLength) throw new RangeError(`the end in the middle of a length at byte ${at}`);
  const length = lengthAt(view, at + 1, shape.lengthBytes);
  if (shape.of === 'array') return { next: body, children: length };
  if (shape.of === 'map') return { next: body, children: 2 * length };
  return { next: body + length + (shape.of === 'ext' ? 1 : 0), children: 0 };
}

function lengthAt(view: DataView, at: number, bytes: 1 | 2 | 4): number {
  if (bytes === 1) return view.getUint8(at);
  return bytes === 2 ? view.getUint16(at) : view.getUint32(at);
}
