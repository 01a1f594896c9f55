import { appendFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';

import { keptMemoryFile, type KeptMemory } from '../processes/kept-memory';

const EVERY_MS = 5000;

/**
 * Collects all garbage of this thread again and again, and writes down what the process holds then. What a heap takes
 * between two collections says when they came, not whether anything is kept. @returns ends it.
 */
export function noteMemory(folder: string, everyMs = EVERY_MS): () => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const append = appendFileSync;
  const file = keptMemoryFile(folder, process.pid);
  const timer = setInterval(() => {
    collect();
    if (!isMainThread) return;
    const { rss, heapUsed, external } = process.memoryUsage();
    const kept: KeptMemory = { atMs: performance.now(), rssBytes: rss, heapBytes: heapUsed + external };
    append(file, `${JSON.stringify(kept)}\n`);
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}
