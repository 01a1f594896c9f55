/** The digits of a 32-bit key, the highest first: how far to shift, and how many values a digit has. */
const DIGITS: readonly (readonly [shift: number, values: number])[] = [
  [21, 2048],
  [10, 2048],
  [0, 1024],
];
const SIGN = 0x8000_0000;

/**
 * Where the `count` greatest scores are, ascending. Of equal scores the earlier ones are taken; NaN is the least.
 * Takes linear time whatever the scores are: a radix search for the least score taken.
 */
export function topIndices(scores: Float32Array, count: number): Int32Array {
  const taken = new Int32Array(Math.max(0, Math.min(count, scores.length)));
  if (taken.length === 0) return taken;
  const keys = orderedKeys(scores);
  const { least, ties } = leastKey(keys, taken.length);
  for (let index = 0, at = 0, tiesLeft = ties; at < taken.length; index += 1) {
    const key = keys[index]!;
    if (key < least || (key === least && tiesLeft === 0)) continue;
    if (key === least) tiesLeft -= 1;
    taken[at] = index;
    at += 1;
  }
  return taken;
}

/** Unsigned integers in the order of the scores. */
function orderedKeys(scores: Float32Array): Uint32Array {
  const floats = new Float32Array(scores.length);
  for (let index = 0; index < scores.length; index += 1) {
    const score = scores[index]!;
    // The sum makes -0 and 0 the same.
    floats[index] = Number.isNaN(score) ? -Infinity : score + 0;
  }
  const keys = new Uint32Array(floats.buffer);
  for (let index = 0; index < keys.length; index += 1) {
    const bits = keys[index]!;
    keys[index] = bits >= SIGN ? ~bits : bits | SIGN;
  }
  return keys;
}

/** The `count`-th greatest key, and how many that equal it are among the `count`. */
function leastKey(keys: Uint32Array, count: number): { readonly least: number; readonly ties: number } {
  let wanted = count;
  let prefix = 0;
  let known = 0;
  for (const [shift, values] of DIGITS) {
    const histogram = new Int32Array(values);
    for (const key of keys) {
      if ((key & known) >>> 0 === prefix) histogram[(key >>> shift) & (values - 1)]! += 1;
    }
    let digit = values - 1;
    while (histogram[digit]! < wanted) {
      wanted -= histogram[digit]!;
      digit -= 1;
    }
    prefix = (prefix | (digit << shift)) >>> 0;
    known = (known | ((values - 1) << shift)) >>> 0;
  }
  return { least: prefix, ties: wanted };
}
