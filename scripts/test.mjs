import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBuilt } from './lib/build.mjs';
import { ensureDebianPackages } from './lib/debian.mjs';
import { endToEndEnvironment } from './lib/e2e-environment.mjs';
import { ensureInstalled } from './lib/install.mjs';
import { ROOT, TEST_RESULTS } from './lib/paths.mjs';
import { run } from './lib/process.mjs';
import { main, step, warn } from './lib/terminal.mjs';
import {
  closingLine,
  countEndToEnd,
  countUnit,
  flakyEndToEnd,
  readCounts,
  readSecondTries,
} from './lib/test-report.mjs';

/** What `npm run check` does before its tests, and the audit: name of the npm script, what it looks at. */
const CHECKS = [
  ['lint', 'lint, layers and import cycles'],
  ['format:check', 'format'],
  ['types', 'types'],
  ['dead', 'dead code'],
  ['audit', 'dependencies and their licences'],
];

/** The machine is shared: what fails is tried once more, and a test that passed only then is named at the end. */
const SECOND_TRIES = join(TEST_RESULTS, 'second-tries.txt');
const TRY_AGAIN = ['--retry=1', '--reporter=./scripts/lib/second-tries.mjs'];

const VITEST = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
const LOAD_SECONDS = '60';

await main(async () => {
  const startedMs = performance.now();
  await prepare();
  await ensureDebianPackages();
  rmSync(TEST_RESULTS, { recursive: true, force: true });
  mkdirSync(TEST_RESULTS, { recursive: true });

  const failedChecks = await failuresOf(CHECKS);
  // Tests need what the end-to-end environment finds too: webgpu runs on the software driver that Electron ships.
  const { env, stop } = await endToEndEnvironment();
  const counts = [];
  try {
    // It waits more than it computes: beside the unit tests, of which a small machine runs one file at a time.
    const load = loadTest();
    counts.push(await unitTests(env), await load, await endToEndTests(env));
  } finally {
    await stop();
  }
  if (failedChecks.length > 0) {
    warn(`Failed checks: ${failedChecks.map((script) => `npm run ${script}`).join(', ')}`);
    counts.push({ passed: 0, failed: failedChecks.length, skipped: 0 });
  }
  for (const test of readSecondTries(SECOND_TRIES)) warn(`Passed at the second try only: ${test}`);
  step(`Done in ${((performance.now() - startedMs) / 60_000).toFixed(1)} min`);
  process.stdout.write(`\n${closingLine(counts)}\n`);
  return counts.some(({ failed }) => failed > 0) ? 1 : 0;
});

/** Closes with the plain line too when there is nothing to test. */
async function prepare() {
  try {
    await ensureInstalled();
    await ensureBuilt();
  } catch (error) {
    process.once('exit', () => console.log(`\n${closingLine([{ passed: 0, failed: 1, skipped: 0 }])}`));
    throw error;
  }
}

/** Two at a time: lint takes as long as all the others. What a check printed is shown when it is over. */
async function failuresOf(checks) {
  const failed = [];
  const waiting = [...checks];
  const takeTurns = async () => {
    for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
      const [script, what] = check;
      const { code, output } = await run('npm', ['run', '--silent', script]);
      step(`Checked ${what}`);
      process.stdout.write(output);
      if (code !== 0) failed.push(script);
    }
  };
  await Promise.all([takeTurns(), takeTurns()]);
  return failed;
}

async function unitTests(env) {
  step('Unit tests');
  const file = join(TEST_RESULTS, 'unit.json');
  const { code } = await run(process.execPath, [VITEST, 'run', ...TRY_AGAIN, ...reportTo(file)], {
    show: true,
    env: { ...env, SLUICE_SECOND_TRIES: SECOND_TRIES },
  });
  return readCounts(file, code, countUnit);
}

function reportTo(file) {
  return ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
}

/** A minute of more requests than the server takes. What it says is shown at its end, when it failed. */
async function loadTest() {
  const file = join(TEST_RESULTS, 'load.json');
  const args = [VITEST, 'run', join('core', 'serving', 'server', 'saturation'), ...reportTo(file)];
  const { code, output } = await run(process.execPath, args, {
    env: { SLUICE_SATURATION_SECONDS: LOAD_SECONDS },
  });
  step(`Load test of ${LOAD_SECONDS} s: ${code === 0 ? 'nothing lost' : 'failed'}`);
  if (code !== 0) process.stdout.write(output);
  return readCounts(file, code, countUnit);
}

async function endToEndTests(env) {
  step('End-to-end tests');
  const file = join(TEST_RESULTS, 'e2e.json');
  const playwright = join(ROOT, 'node_modules', '@playwright', 'test', 'cli.js');
  const args = [
    playwright,
    'test',
    '-c',
    join('e2e', 'playwright.config.ts'),
    '--reporter=list,json',
    '--retries=1',
  ];
  const { code } = await run(process.execPath, args, {
    show: true,
    env: { ...env, SLUICE_E2E_READY: '1', PLAYWRIGHT_JSON_OUTPUT_FILE: file },
  });
  if (existsSync(file)) {
    const flaky = flakyEndToEnd(JSON.parse(readFileSync(file, 'utf8')));
    appendFileSync(SECOND_TRIES, flaky.map((test) => `${test}\n`).join(''));
  }
  return readCounts(file, code, countEndToEnd);
}
