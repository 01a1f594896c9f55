import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from './lock.mjs';
import { CACHE, ROOT } from './paths.mjs';
import { run } from './process.mjs';
import { SetupError, step } from './terminal.mjs';

/**
 * Installs the packages of package-lock.json when the tree in node_modules differs from it.
 *
 * No package's install script runs: all of them are optional here (their binaries come as packages), and the one of
 * onnxruntime-node asks another host for CUDA libraries and fails where it can't reach it.
 *
 * @throws SetupError with npm's last lines.
 */
export async function ensureInstalled() {
  if (isInstalled()) return;
  await withLock(join(CACHE, 'install.lock'), async () => {
    if (isInstalled()) return;
    step('Installing packages (npm ci; a few minutes on a slow line)');
    const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
    for (let attempt = 1; ; attempt++) {
      const { code, output } = await run(npmCommand(), args, { env: { ONNXRUNTIME_NODE_INSTALL: 'skip' } });
      if (code === 0) return;
      if (attempt < 3 && /ECONNRESET|ETIMEDOUT|EAI_AGAIN|ENOTFOUND|network/i.test(output)) continue;
      throw new SetupError(
        `npm ci failed (exit ${code}):\n${firstErrors(output, 15)}\n${installAdvice(output)}`,
      );
    }
  });
}

/** Whether every package that the lock file asks for on this platform is there in that version. */
function isInstalled() {
  const installedFile = join(ROOT, 'node_modules', '.package-lock.json');
  if (!existsSync(installedFile)) return false;
  const wanted = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages;
  const present = JSON.parse(readFileSync(installedFile, 'utf8')).packages;
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    if (path === '') return true;
    const found = present[path];
    return found === undefined ? optional === true : found.version === version;
  });
}

/** What npm's errors ask of the person at the terminal, the first that fits. */
const ADVICE = [
  [/ENOSPC/, 'The disk is full: the packages take about 1 GB here, and npm keeps a copy in its cache.'],
  [
    /EACCES|EPERM/,
    'Some of these files belong to another user (was it run with sudo before?): give them back with chown.',
  ],
  [
    /E407|Proxy Authentication/i,
    "The proxy wants a name and password: npm config set https-proxy 'http://NAME:PASSWORD@HOST:PORT'",
  ],
  [
    /SELF_SIGNED_CERT|UNABLE_TO_(?:VERIFY_LEAF|GET_ISSUER)|CERT_/,
    'Somebody between here and the registry re-signs its traffic: name the file of that authority in NODE_EXTRA_CA_CERTS, or by npm config set cafile FILE.',
  ],
  [
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|network/i,
    'The registry could not be reached: check the network. Behind a proxy: npm config set https-proxy http://HOST:PORT',
  ],
  [
    /E40[134]|ETARGET|EINTEGRITY/,
    "The registry has not what package-lock.json names: ask npm config get registry whether it is the public one's mirror.",
  ],
  [/spawn \S*npm\S* ENOENT/, 'There is no npm beside this Node: install it (Debian: sudo apt install npm).'],
];

export function installAdvice(output) {
  return (
    ADVICE.find(([pattern]) => pattern.test(output))?.[1] ??
    "Try again; if it stays, npm's own log tells more."
  );
}

/** npm tells the reason first and its usage after it. */
function firstErrors(output, count) {
  const errors = output.split('\n').filter((line) => /^npm (error|ERR!)/.test(line));
  return errors.length === 0 ? lastLines(output, count) : errors.slice(0, count).join('\n');
}

function npmCommand() {
  return process.platform === 'win32' ? 'npm.cmd' : 'npm';
}

export function lastLines(text, count) {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}
