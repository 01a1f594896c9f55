import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a process held when all its garbage had just been collected. */
export interface KeptMemory {
  /** Since the process started. */
  readonly atMs: number;
  readonly rssBytes: number;
  /** JavaScript's heap, and what belongs to its objects outside it. */
  readonly heapBytes: number;
}

export function keptMemoryFile(folder: string, pid: number): string {
  return join(folder, `memory-${pid}.jsonl`);
}

/** In the order of time; none for a process that noted nothing. */
export function keptMemoryOf(folder: string, pid: number): readonly KeptMemory[] {
  let text: string;
  try {
    text = readFileSync(keptMemoryFile(folder, pid), 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw cause;
  }
  // A process that was killed may have left half a line.
  return text
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line) as KeptMemory);
}
