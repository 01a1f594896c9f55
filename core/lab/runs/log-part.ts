import { open } from 'node:fs/promises';

import { SluiceError } from '../../contract';
import type { LabLogPart } from '../../contract';
import { hasEnded } from '../jobs/job-state';
import type { RunService } from './run-service';

/** More of a log comes with the next request. */
const MOST_BYTES = 2 ** 20;
/** How often a log that may grow is looked at: that happens untold. */
const LOOK_MS = 250;
/** UTF-8 has characters of at most 4 bytes. */
const MOST_CONTINUED = 3;

export interface LogRequest {
  readonly run: string;
  /** In bytes; negative: so many before the end. */
  readonly offset: number;
  /** Waits this long for more where there is none and the run goes on. */
  readonly waitMs: number;
}

/**
 * A part of what a run wrote, cut between characters.
 * @param pause resolves after that long, or at once when nobody waits any more.
 * @throws SluiceError `not-found`, `bad-input` (an offset past the end), `io`.
 */
export async function logPart(
  runs: RunService,
  { run, offset, waitMs }: LogRequest,
  pause: (ms: number) => Promise<boolean>,
): Promise<LabLogPart> {
  for (let leftMs = waitMs; ; leftMs -= LOOK_MS) {
    // Asked first: what it wrote before its end is in the file then.
    const isOver = hasEnded(runs.get(run));
    const { file, bytes } = await runs.log(run);
    if (offset > bytes) {
      throw new SluiceError(
        'bad-input',
        `The log of ${run} has ${bytes} bytes; offset ${offset} is past its end.`,
        { bytes },
      );
    }
    const from = offset < 0 ? Math.max(0, bytes + offset) : offset;
    const part =
      bytes > from ? await textAt(file, from, bytes, offset < 0, isOver) : { text: '', next: from };
    const isEnd = isOver && part.next >= bytes;
    if (part.text !== '' || isOver || leftMs <= 0 || !(await pause(Math.min(leftMs, LOOK_MS)))) {
      return { text: part.text, nextOffset: part.next, bytes, isEnd };
    }
  }
}

/** @param isTail the beginning may lie within a character. @param isOver what is cut off at the end stays so. */
async function textAt(
  file: string,
  from: number,
  bytes: number,
  isTail: boolean,
  isOver: boolean,
): Promise<{ readonly text: string; readonly next: number }> {
  const buffer = Buffer.alloc(Math.min(bytes - from, MOST_BYTES));
  const handle = await open(file, 'r');
  try {
    const { bytesRead } = await handle.read(buffer, 0, buffer.byteLength, from);
    const read = buffer.subarray(0, bytesRead);
    const isLast = isOver && from + bytesRead >= bytes;
    const start = isTail && from > 0 ? startOfCharacter(read) : 0;
    const end = isLast ? read.byteLength : Math.max(start, endOfCharacters(read));
    return { text: read.subarray(start, end).toString('utf8'), next: from + end };
  } finally {
    await handle.close();
  }
}

function isContinued(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

function startOfCharacter(bytes: Uint8Array): number {
  let at = 0;
  while (at < Math.min(bytes.byteLength, MOST_CONTINUED) && isContinued(bytes[at]!)) at += 1;
  return at;
}

/** Where the last character begins if it is not whole, or else the end. */
function endOfCharacters(bytes: Uint8Array): number {
  const { byteLength: end } = bytes;
  for (let back = 1; back <= Math.min(end, MOST_CONTINUED); back += 1) {
    const byte = bytes[end - back]!;
    if (isContinued(byte)) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? end - back : end;
  }
  return end;
}
