import { appendFileSync } from 'node:fs';
import { relative } from 'node:path';
import { ROOT } from './paths.mjs';

/**
 * A Vitest reporter: notes tests that failed and then passed, one line each, in the file that SLUICE_SECOND_TRIES names.
 * Vitest's own reports don't tell them from those that passed at once.
 */
export default class SecondTries {
  onTestCaseResult(test) {
    const file = process.env['SLUICE_SECOND_TRIES'];
    if (file === undefined || test.diagnostic()?.flaky !== true) return;
    const [error] = test.result().errors ?? [];
    const reason = error === undefined ? '' : `: ${firstLine(error.message)}`;
    appendFileSync(file, `${relative(ROOT, test.module.moduleId)} > ${test.fullName}${reason}\n`);
  }
}

function firstLine(text) {
  return text.split('\n')[0];
}
