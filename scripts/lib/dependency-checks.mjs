import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './paths.mjs';

/**
 * Advisories that stand against a shipped package although they can't hurt here. Each needs a reason and a day after which
 * the audit fails again: `{ id: 'GHSA-...', reason: '...', expires: '2027-01-31' }`.
 */
export const AUDIT_EXCEPTIONS = [];

/** Packages that have an install script. None of them runs: `npm ci --ignore-scripts` (scripts/lib/install.mjs). */
const INSTALL_SCRIPTS = new Map([
  ['electron-winstaller', 'builds Windows installers only'],
  ['esbuild', 'checks its binary, which comes as a package'],
  ['fsevents', 'macOS only, comes built'],
  ['koffi', 'its binary comes as a package'],
  ['onnxruntime-node', 'would load CUDA libraries; the CPU library is in the package'],
  ['protobufjs', 'prints a warning about versions'],
  ['unrs-resolver', 'its binary comes as a package'],
]);

const GATE = new Set(['high', 'critical']);

/**
 * What can be checked without a network, a line for each fault.
 *
 * @param {{packages: Record<string, object>}} lock parsed package-lock.json
 */
export function lockFaults(lock) {
  return Object.entries(lock.packages)
    .filter(([path]) => path !== '')
    .flatMap(([path, entry]) => entryFaults(path, entry));
}

function entryFaults(path, entry) {
  const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
  const faults = [];
  if (entry.link === true) faults.push('is a link to a folder');
  if (!/^sha512-/.test(entry.integrity ?? '')) faults.push('has no sha512 in package-lock.json');
  // npm leaves the address out where it is the registry's own.
  if (entry.resolved !== undefined && !/^https:\/\/[^/]+\/.*\.tgz$/.test(entry.resolved))
    faults.push(`comes from ${entry.resolved}, not from the registry`);
  if (entry.hasInstallScript === true && !INSTALL_SCRIPTS.has(name))
    faults.push(
      'has an install script; add it to scripts/lib/dependency-checks.mjs with why it need not run',
    );
  if (entry.deprecated !== undefined && entry.dev !== true)
    faults.push(`is deprecated: ${String(entry.deprecated)}`);
  return faults.map((fault) => `${path}: ${fault}`);
}

/** Faults of what package.json itself asks for: versions of the registry only. */
export function manifestFaults(manifest) {
  return ['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((kind) =>
    Object.entries(manifest[kind] ?? {})
      .filter(([, range]) => !/^[\^~]?\d[\w.+-]*$/.test(range))
      .map(([name, range]) => `${kind}.${name}: expected a version of the registry, found ${range}`),
  );
}

/**
 * Judges what `npm audit --omit=dev --json` printed.
 *
 * @param {string} output
 * @param {{id: string, reason: string, expires: string}[]} exceptions
 * @param {string} today as YYYY-MM-DD
 * @returns {{skipped: true, why: string} | {skipped: false, faults: string[], below: number}} `below`: advisories that the gate lets through
 */
export function judgeAudit(output, exceptions, today) {
  const report = parseReport(output);
  if (report?.vulnerabilities === undefined) {
    return { skipped: true, why: report?.statusCode ? `it says ${report.statusCode}` : 'no answer' };
  }
  const live = new Set(exceptions.filter(({ expires }) => expires >= today).map(({ id }) => id));
  const faults = exceptions
    .filter(({ expires }) => expires < today)
    .map(
      ({ id, expires }) => `the exception for ${id} ended on ${expires}; update the package or look again`,
    );
  let below = 0;
  for (const { name, via } of Object.values(report.vulnerabilities)) {
    for (const advisory of via.filter((one) => typeof one === 'object')) {
      const id = String(advisory.url ?? advisory.source).replace(/^.*\//, '');
      if (live.has(id)) continue;
      if (!GATE.has(advisory.severity)) below += 1;
      else faults.push(`${name}: ${advisory.severity}: ${advisory.title} (${id}, ${advisory.range})`);
    }
  }
  return { skipped: false, faults, below };
}

/** npm prints warnings around its JSON. */
function parseReport(output) {
  const start = output.indexOf('\n{') + 1;
  const end = output.lastIndexOf('\n}') + 2;
  try {
    return JSON.parse(output.slice(output.startsWith('{') ? 0 : start, end));
  } catch {
    return undefined;
  }
}

export function readJson(name, root = ROOT) {
  return JSON.parse(readFileSync(join(root, name), 'utf8'));
}
