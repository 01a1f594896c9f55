import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { noteMemory } from '../faults/note-memory';
import { keptMemoryFile, keptMemoryOf } from './kept-memory';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-kept-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const LINE = { atMs: 5000, rssBytes: 100, heapBytes: 40 };

it('reads what a process noted, but for a line that its end cut off', () => {
  appendFileSync(keptMemoryFile(folder, 7), `${JSON.stringify(LINE)}\n{"atMs":10000,"rssB`);
  expect(keptMemoryOf(folder, 7)).toEqual([LINE]);
});

it('knows nothing of a process that noted nothing', () => {
  expect(keptMemoryOf(folder, 8)).toEqual([]);
});

it('is what a process notes of itself, without its garbage', async () => {
  const end = noteMemory(folder, 5);
  try {
    await vi.waitFor(() => expect(keptMemoryOf(folder, process.pid).length).toBeGreaterThan(0), {
      timeout: 30_000,
    });
  } finally {
    end();
  }
  for (const { rssBytes, heapBytes } of keptMemoryOf(folder, process.pid)) {
    expect(heapBytes).toBeGreaterThan(0);
    expect(rssBytes).toBeGreaterThan(heapBytes);
  }
}, 60_000);
