import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { tinyChatModel } from '../../llm/test-support/tiny-chat-model';
import { benchSoak, FAULT_KINDS } from './index';

it('works with every system while every fault comes: nothing wrong, lost or left behind', async () => {
  const workDir = mkdtempSync(join(tmpdir(), 'sluice-soak-'));
  try {
    const languageModel = join(workDir, 'tiny.gguf');
    writeFileSync(languageModel, tinyChatModel());
    const report = await benchSoak({ minutes: 0.3, seed: 3, languageModel, workDir });
    expect(report.systems.map(({ lostThings, unexpected }) => [...lostThings, ...unexpected]).flat()).toEqual(
      [],
    );
    expect(report).toMatchObject({
      wrongResults: 0,
      lost: 0,
      unexpectedFailures: 0,
      unexpectedEnds: [],
      leftBehind: [],
      notes: [],
    });
    expect(report.faults.map(({ kind }) => kind).sort()).toEqual([...FAULT_KINDS].sort());
    expect(report.faults.flatMap(({ notRecovered }) => notRecovered)).toEqual([]);
    for (const { work, done } of report.systems)
      expect({ work, hasWorked: done > 0 }).toEqual({ work, hasWorked: true });
    expect(report.processes.map(({ name, starts }) => `${name} ${starts}`)).toEqual([
      'engine 2',
      'endpoint 2',
      'lab 2',
    ]);
    // How much memory they take is only told: caches still fill.
    expect(report.bars.find(({ bar }) => bar.startsWith('descriptors'))).toMatchObject({ met: true });
    expect(readdirSync(workDir)).toEqual(['tiny.gguf']);
  } finally {
    rmSync(workDir, { recursive: true, force: true });
  }
}, 240_000);
