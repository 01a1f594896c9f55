import { existsSync, readFileSync } from 'node:fs';

/**
 * @typedef {{passed: number, failed: number, skipped: number}} Counts
 */

/** The counts of a Vitest JSON report. Todo tests count as skipped. */
export function countUnit(report) {
  const skipped = report.numPendingTests + (report.numTodoTests ?? 0);
  // A file that fails to load has no failed test of its own.
  const brokenFiles = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  ).length;
  return { passed: report.numPassedTests, failed: report.numFailedTests + brokenFiles, skipped };
}

/** The counts of a Playwright JSON report. A flaky test passed; an error outside any test counts as a failure. */
export function countEndToEnd(report) {
  const { expected, flaky, unexpected, skipped } = report.stats;
  return { passed: expected + flaky, failed: unexpected + report.errors.length, skipped };
}

/** Names of the end-to-end tests that passed at a later try only. */
export function flakyEndToEnd(report) {
  const under = (suite) => [
    ...(suite.specs ?? [])
      .filter(({ tests }) => tests.some(({ status }) => status === 'flaky'))
      .map(({ title }) => `${suite.file} > ${title}`),
    ...(suite.suites ?? []).flatMap(under),
  ];
  return (report.suites ?? []).flatMap(under);
}

/** What the runners noted, a line each; nothing when every test passed at once. */
export function readSecondTries(file) {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8').split('\n').filter(Boolean);
}

/**
 * Reads a report and counts it. One that is missing or broken, or a runner that failed without a failed test, counts
 * as one failure, so that the sum never looks better than the run was.
 *
 * @param {string} file
 * @param {number} exitCode of the runner
 * @param {(report: object) => Counts} count
 * @returns {Counts}
 */
export function readCounts(file, exitCode, count) {
  if (!existsSync(file)) return { passed: 0, failed: 1, skipped: 0 };
  const counts = count(JSON.parse(readFileSync(file, 'utf8')));
  return exitCode !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

/** The closing line of `npm test`. */
export function closingLine(all) {
  const sum = (key) => all.reduce((total, counts) => total + counts[key], 0);
  return `${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`;
}
