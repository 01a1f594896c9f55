/** Bytes `from` up to but without `end`. */
export interface ByteRange {
  readonly from: number;
  readonly end: number;
}

/**
 * Reads a `Range` header (RFC 9110, section 14.2): one range of bytes. Others are ignored, as the RFC allows.
 * @returns `beyond` when nothing of the content is in it.
 */
export function byteRange(header: string | undefined, byteLength: number): ByteRange | 'whole' | 'beyond' {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '');
  const [, first = '', last = ''] = match ?? [];
  if (first === '' && last === '') return 'whole';
  if (first === '') {
    const wanted = Math.min(Number(last), byteLength);
    return wanted === 0 ? 'beyond' : { from: byteLength - wanted, end: byteLength };
  }
  const from = Number(first);
  if (last !== '' && Number(last) < from) return 'whole';
  if (from >= byteLength) return 'beyond';
  return { from, end: last === '' ? byteLength : Math.min(Number(last) + 1, byteLength) };
}
