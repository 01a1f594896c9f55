import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { encodeWire } from '../../contract';
import type { TraceColumns } from '../../contract';
import { TraceFiles } from './trace-files';

function trace(runId: string): TraceColumns {
  return {
    runId,
    layer: Uint32Array.of(0, 1),
    kind: Uint8Array.of(0, 2),
    startUs: Float64Array.of(0, 5),
    durationUs: Float64Array.of(4, 3),
    bytes: Float64Array.of(100, 100),
    layerNames: ['a', 'b'],
    ringAtUs: Float64Array.of(0),
    ringBytes: Float64Array.of(100),
    ringCapacityBytes: 200,
  };
}

describe('traces on disk', () => {
  let folder = '';
  let log: string[];
  let files: TraceFiles;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-traces-'));
    log = [];
    files = new TraceFiles(join(folder, 'traces'), (message) => log.push(message));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('come back as they were', async () => {
    expect(files.ids().size).toBe(0);
    await files.save(trace('a-1'));
    expect([...files.ids()]).toEqual(['a-1']);
    expect(files.read('a-1')).toEqual(trace('a-1'));
    expect(log).toEqual([]);
  });

  it('are of no use when they are cut, of another version or none at all', async () => {
    await files.save(trace('a-1'));
    truncateSync(join(folder, 'traces', 'a-1.trace'), 40);
    writeFileSync(join(folder, 'traces', 'b-1.trace'), encodeWire({ version: 2, trace: trace('b-1') }));
    for (const id of ['a-1', 'b-1', 'c-1', '../runs', '']) expect(files.read(id), id).toBeUndefined();
  });

  it('of many runs, the latest are kept', async () => {
    for (let count = 0; count < 45; count += 1) await files.save(trace(`run-${count}`));
    expect(readdirSync(join(folder, 'traces'))).toHaveLength(40);
    expect(files.read('run-44')).toBeDefined();
  });

  it('that can not be written are told about', async () => {
    writeFileSync(join(folder, 'file'), '');
    await new TraceFiles(join(folder, 'file'), (message) => log.push(message)).save(trace('a-1'));
    expect(log).toEqual([expect.stringContaining('The timeline of run a-1 was not saved')]);
  });
});
