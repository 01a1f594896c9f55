import { existsSync } from 'node:fs';
import { lastLines } from './install.mjs';
import { run } from './process.mjs';
import { note, step, warn } from './terminal.mjs';

/** Debian packages the end-to-end tests need. Alternatives are the names of one package in different releases. */
const NEEDS = [
  { packages: ['xvfb'], for: 'the Electron window without a screen' },
  { packages: ['libgtk-3-0t64', 'libgtk-3-0'], for: 'Electron' },
  { packages: ['libnss3'], for: 'Electron' },
  { packages: ['libgbm1'], for: 'Electron' },
  { packages: ['libasound2t64', 'libasound2'], for: 'Electron' },
  { packages: ['libvulkan1'], for: 'the webgpu execution provider on a software GPU' },
  { packages: ['fonts-dejavu-core'], for: 'text in screenshots' },
  { packages: ['chromium'], for: 'the console in a browser' },
];

/**
 * Installs the missing ones through apt-get when this process may, else names them.
 *
 * @param {typeof NEEDS} needs those of the end-to-end tests unless told otherwise
 * @returns {Promise<readonly string[]>} the packages that are still missing
 */
export async function ensureDebianPackages(needs = NEEDS) {
  if (process.platform !== 'linux' || !existsSync('/usr/bin/dpkg-query')) return [];
  const missing = await missingOf(needs);
  if (missing.length === 0) return [];
  if (process.getuid?.() !== 0) return explain(missing, 'this user may not install packages');
  step(`Installing ${missing.map((need) => need.packages.at(-1)).join(', ')} (apt-get)`);
  const updated = await apt(['update', '-qq'], 3);
  if (updated !== undefined) warn(`apt-get update failed: ${updated}`);
  for (const need of missing) {
    const name = await available(need.packages);
    if (name === undefined) continue;
    const failed = await apt(['install', '-y', '-qq', '--no-install-recommends', name], 2);
    if (failed !== undefined) warn(`apt-get install ${name} failed: ${failed}`);
  }
  const left = await missingOf(needs);
  return left.length === 0 ? [] : explain(left, 'apt-get could not install them');
}

function explain(missing, why) {
  warn(`Missing Debian packages (${why}):`);
  for (const need of missing) note(`${need.packages.join(' or ')}: ${need.for}`);
  note(`Install them with: sudo apt-get install ${missing.map((need) => need.packages.at(-1)).join(' ')}`);
  note('Tests that need them are skipped and counted as skipped.');
  return missing.map((need) => need.packages.at(-1));
}

async function missingOf(needs) {
  const names = needs.flatMap((need) => need.packages);
  const { output } = await run('dpkg-query', ['-W', '-f', '${Package} ${db:Status-Status}\n', ...names]);
  const installed = new Set(
    output.split('\n').flatMap((line) => (line.endsWith(' installed') ? [line.split(' ')[0]] : [])),
  );
  return needs.filter((need) => !need.packages.some((name) => installed.has(name)));
}

/** The first of the names that this release offers. */
async function available(names) {
  for (const name of names) {
    const { output } = await run('apt-cache', ['policy', name]);
    if (/Candidate: (?!\(none\))\S/.test(output)) return name;
  }
  return undefined;
}

/** @returns {Promise<string | undefined>} its last line when it failed every time */
async function apt(args, attempts) {
  const options = ['-o', 'DPkg::Lock::Timeout=300', '-o', 'Acquire::Retries=2'];
  let problem;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const env = { DEBIAN_FRONTEND: 'noninteractive' };
    const { code, output } = await run('apt-get', [...options, ...args], { env, timeoutMs: 10 * 60_000 });
    if (code === 0) return undefined;
    problem = lastLines(output, 1);
  }
  return problem;
}
