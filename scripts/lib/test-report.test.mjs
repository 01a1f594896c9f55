import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  closingLine,
  countEndToEnd,
  countUnit,
  flakyEndToEnd,
  readCounts,
  readSecondTries,
} from './test-report.mjs';

const unitReport = {
  numPassedTests: 7,
  numFailedTests: 1,
  numPendingTests: 2,
  numTodoTests: 1,
  testResults: [
    { status: 'failed', assertionResults: [{ status: 'failed' }, { status: 'passed' }] },
    { status: 'failed', assertionResults: [] },
    { status: 'passed', assertionResults: [{ status: 'passed' }] },
  ],
};

describe('the sum of both test runs', () => {
  let folder;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'sluice-report-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const written = (report) => {
    const file = join(folder, 'report.json');
    writeFileSync(file, JSON.stringify(report));
    return file;
  };

  it('counts a unit test file that did not load as a failure, and todo as skipped', () => {
    expect(countUnit(unitReport)).toEqual({ passed: 7, failed: 2, skipped: 3 });
  });

  it('counts flaky end-to-end tests as passed and errors outside tests as failures', () => {
    const stats = { expected: 4, flaky: 1, unexpected: 2, skipped: 3 };
    expect(countEndToEnd({ stats, errors: [{}] })).toEqual({ passed: 5, failed: 3, skipped: 3 });
  });

  it('names what passed at a second try only', () => {
    const spec = (title, status) => ({ title, tests: [{ status }] });
    const inner = { file: 'run.spec.ts', specs: [spec('stops', 'flaky')] };
    const suite = { file: 'run.spec.ts', specs: [spec('runs', 'expected')], suites: [inner] };
    expect(flakyEndToEnd({ suites: [suite] })).toEqual(['run.spec.ts > stops']);
    const file = join(folder, 'tries.txt');
    expect(readSecondTries(file)).toEqual([]);
    writeFileSync(file, 'a.test.ts > adds\n');
    expect(readSecondTries(file)).toEqual(['a.test.ts > adds']);
  });

  it('is never better than the run: no report, or a failed runner without a failed test', () => {
    const missing = join(folder, 'none.json');
    expect(readCounts(missing, 1, countUnit)).toEqual({ passed: 0, failed: 1, skipped: 0 });
    const fine = { stats: { expected: 3, flaky: 0, unexpected: 0, skipped: 0 }, errors: [] };
    expect(readCounts(written(fine), 1, countEndToEnd)).toEqual({ passed: 3, failed: 1, skipped: 0 });
    expect(readCounts(written(fine), 0, countEndToEnd)).toEqual({ passed: 3, failed: 0, skipped: 0 });
  });

  it('closes with one plain line', () => {
    const line = closingLine([
      { passed: 3, failed: 0, skipped: 1 },
      { passed: 4, failed: 1, skipped: 0 },
    ]);
    expect(line).toBe('7 passed, 1 failed, 1 skipped');
  });
});
