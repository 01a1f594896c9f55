import type { ByteRange } from '../artifacts/artifact-store';

/**
 * The one range a `Range` header asks for (RFC 9110, section 14).
 * @returns `undefined` when all is to be sent: no header, or several or malformed ranges, which a server may ignore.
 */
export function parseByteRange(
  header: string | undefined,
  sizeBytes: number,
): ByteRange | 'unsatisfiable' | undefined {
  const [, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '') ?? [];
  if (from === '' && to === '') return undefined;
  const lastByte = sizeBytes - 1;
  if (from === '') {
    const first = Math.max(0, sizeBytes - Number(to));
    return first > lastByte ? 'unsatisfiable' : { first, last: lastByte };
  }
  const first = Number(from);
  const last = to === '' ? lastByte : Number(to);
  if (last < first && to !== '') return undefined;
  return first > lastByte ? 'unsatisfiable' : { first, last: Math.min(last, lastByte) };
}
