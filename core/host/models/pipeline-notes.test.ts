import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { MeasuredPoint } from '../../contract';
import { PipelineNotes } from './pipeline-notes';

let folder: string;
let log: string[];
const open = (): PipelineNotes =>
  new PipelineNotes(
    (name) => join(folder, name),
    (line) => log.push(line),
  );
const point = (budgetBytes: number, medianMs: number, runs = 5): MeasuredPoint => ({
  budgetBytes,
  mode: 'async',
  medianMs,
  p10Ms: medianMs - 1,
  p90Ms: medianMs + 1,
  runs,
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-notes-'));
  mkdirSync(join(folder, 'reader'));
  log = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('notes of a text pipeline', () => {
  it('are there at once, and for another process once they are on disk', async () => {
    const [here, elsewhere] = [open(), open()];
    expect(here.regionsPerImage('reader')).toBe(1);
    here.setRegions('reader', 16);
    here.addMeasurement('reader', point(3e6, 900));
    expect(here.regionsPerImage('reader')).toBe(16);
    expect(here.measured('reader')).toEqual([point(3e6, 900)]);
    await here.settled();
    expect(elsewhere.regionsPerImage('reader')).toBe(16);
    elsewhere.addMeasurement('reader', point(9e6, 700));
    await elsewhere.settled();
    expect(here.measured('reader')).toEqual([point(3e6, 900), point(9e6, 700)]);
  });

  it('show the latencies of images with as many regions as the latest', async () => {
    const notes = open();
    notes.setRegions('reader', 16);
    notes.addMeasurement('reader', point(3e6, 900));
    notes.setRegions('reader', 3);
    expect(notes.measured('reader')).toEqual([]);
    notes.addMeasurement('reader', point(3e6, 200));
    expect(notes.measured('reader')).toEqual([point(3e6, 200)]);
    notes.setRegions('reader', 16);
    expect(notes.measured('reader')).toEqual([point(3e6, 900)]);
    await notes.settled();
  });

  it('keep the newest of a budget, unless it says less', () => {
    const notes = open();
    notes.addMeasurement('reader', point(3e6, 900, 20));
    notes.addMeasurement('reader', point(3e6, 950, 1));
    expect(notes.measured('reader')).toEqual([point(3e6, 900, 20)]);
    notes.addMeasurement('reader', point(3e6, 950, 3));
    notes.addMeasurement('reader', point(5e6, 800, 1));
    notes.addMeasurement('reader', point(5e6, 820, 2));
    expect(notes.measured('reader')).toEqual([point(3e6, 950, 3), point(5e6, 820, 2)]);
    return notes.settled();
  });

  it('two processes that write at once lose nothing', async () => {
    const writers = Array.from({ length: 4 }, open);
    writers.forEach((notes, writer) => {
      for (let step = 0; step < 5; step += 1)
        notes.addMeasurement('reader', point(1 + writer * 10 + step, 9));
    });
    await Promise.all(writers.map((notes) => notes.settled()));
    expect(open().measured('reader')).toHaveLength(20);
    expect(log).toEqual([]);
  });

  it('of a pipeline that was removed meanwhile are lost, and nothing else', async () => {
    const notes = open();
    notes.addMeasurement('gone', point(3e6, 900));
    await notes.settled();
    expect(log[0]).toMatch(/notes\.json was not saved/);
    notes.addMeasurement('reader', point(3e6, 900));
    await notes.settled();
    expect(readFileSync(join(folder, 'reader', 'notes.json'), 'utf8')).toContain('900');
  });
});
