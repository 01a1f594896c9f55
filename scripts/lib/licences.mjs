import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './paths.mjs';

/** Licences that a shipped package may have, each with what it asks of us. */
export const ALLOWED_LICENCES = new Map([
  ['MIT', 'its text goes along'],
  ['ISC', 'its text goes along'],
  ['BSD-2-Clause', 'its text goes along'],
  ['BSD-3-Clause', 'its text goes along; its authors are not named in advertising'],
  ['Apache-2.0', 'its text and NOTICE go along; nothing of it is changed here'],
  ['BlueOak-1.0.0', 'its text goes along'],
  ['Python-2.0', 'its text goes along'],
  ['0BSD', 'nothing'],
  ['(MIT OR CC0-1.0)', 'taken under MIT'],
]);

/** Packages whose archive has no licence file, and whose copyright line is that of another package or known. */
const HOLDERS = new Map([
  ['onnxruntime-node', 'Microsoft Corporation'],
  ['onnxruntime-common', 'Microsoft Corporation'],
]);
/** Native parts of a package carry its licence. */
const PARENTS = [
  [/^@koromix\/koffi-/, 'koffi'],
  [/^@libsql\//, 'libsql'],
  [/^@napi-rs\/image-/, '@napi-rs/image'],
];
const LICENCE_FILE = /^(licen[cs]e|copying|notice)/i;

/**
 * The packages that are shipped, on one platform or another, by name and version.
 *
 * @param {string} root folder of package-lock.json and node_modules
 * @returns {{name: string, version: string, licence: string, path: string, isPlatform: boolean}[]}
 *   `isPlatform`: native code for some platforms only, so that it may not be installed here
 */
export function productionPackages(root = ROOT) {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const seen = new Map();
  for (const [path, entry] of Object.entries(packages)) {
    if (path === '' || entry.dev === true || entry.devOptional === true) continue;
    const name = entry.name ?? path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const isPlatform = entry.optional === true && (entry.os !== undefined || entry.cpu !== undefined);
    const installed = installedLicence(join(root, path));
    const licence = installed ?? entry.license ?? 'none';
    seen.set(`${name} ${entry.version}`, { name, version: entry.version, licence, path, isPlatform });
  }
  return [...seen.values()].sort(
    (a, b) => compare(a.name, b.name) || a.version.localeCompare(b.version, 'en', { numeric: true }),
  );
}

/** What is wrong with the licences, a line each. */
export function licenceFaults(packages) {
  return packages
    .filter(({ licence }) => !ALLOWED_LICENCES.has(licence))
    .map(
      ({ name, version, licence }) =>
        `${name} ${version} is under ${licence}; expected one of ${[...ALLOWED_LICENCES.keys()].join(', ')}. ` +
        'Leave the package out, or add the licence to scripts/lib/licences.mjs with what it asks of us',
    );
}

/** `docs/licences.md`. */
export function licencePage(packages) {
  const counts = byLicence(packages);
  const allowed = [...ALLOWED_LICENCES]
    .filter(([licence]) => counts.has(licence))
    .map(([licence, asks]) => `| ${licence} | ${counts.get(licence).length} | ${asks} |`);
  const rows = packages.map(
    ({ name, version, licence, isPlatform }) =>
      `| ${name} | ${version} | ${licence} | ${isPlatform ? 'on its platform' : ''} |`,
  );
  return [
    '# Licences of what is shipped',
    '',
    'Made by `npm run audit -- --write` from package-lock.json and the installed packages; `npm run audit` and a test check',
    'that it is up to date and that no other licence occurs. Packages that only build or test Sluice are not in it. An',
    'installed Sluice has all texts in THIRD-PARTY-NOTICES.txt; Electron brings those of Chromium in LICENSES.chromium.html.',
    '',
    '| licence | packages | asks |',
    '|---|--:|---|',
    ...allowed,
    '',
    '| package | version | licence | shipped |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

/**
 * Writes the licence texts of all shipped packages that are installed here: packaging puts the file beside the application.
 *
 * @param {string} file to write
 * @param {string} root folder of package-lock.json and node_modules
 * @returns {number} how many packages it covers
 */
export function writeThirdPartyNotices(file, root = ROOT) {
  const packages = productionPackages(root).filter(({ path }) => existsSync(join(root, path)));
  writeFileSync(file, thirdPartyNotices(packages, root));
  return packages.length;
}

/** Every text once, with the packages it covers above it. */
export function thirdPartyNotices(packages, root = ROOT) {
  const byText = new Map();
  for (const one of packages) {
    const text = licenceText(one, root);
    byText.set(text, [...(byText.get(text) ?? []), `${one.name} ${one.version} (${one.licence})`]);
  }
  const parts = [...byText].map(([text, names]) => `${names.join('\n')}\n\n${text}`);
  const head =
    'Sluice contains the packages below, each under its own licence. ONNX Runtime contains further software: see\n' +
    'https://github.com/microsoft/onnxruntime/blob/main/ThirdPartyNotices.txt';
  return `${[head, ...parts].join(`\n\n${'-'.repeat(78)}\n\n`)}\n`;
}

function licenceText({ name, licence, path }, root) {
  const own = textsIn(join(root, path));
  if (own !== '') return own;
  const parent = PARENTS.find(([pattern]) => pattern.test(name))?.[1];
  const shared = parent === undefined ? '' : textsIn(join(root, 'node_modules', parent));
  if (shared !== '') return shared;
  const holder = HOLDERS.get(name) ?? authorOf(join(root, path)) ?? `the authors of ${name}`;
  if (licence === 'MIT') return `MIT License\n\nCopyright (c) ${holder}\n\n${MIT_TEXT}`;
  throw new Error(`${name} (${licence}) has no licence file; add its text to scripts/lib/licences.mjs`);
}

function textsIn(folder) {
  if (!existsSync(folder)) return '';
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && LICENCE_FILE.test(entry.name))
    .map(({ name }) => readFileSync(join(folder, name), 'utf8').replaceAll('\r\n', '\n').trim())
    .join('\n\n');
}

function installedLicence(folder) {
  const manifest = manifestOf(folder);
  if (manifest === undefined) return undefined;
  const { license, licenses } = manifest;
  if (typeof license === 'string') return license;
  const one = license ?? licenses?.[0];
  return typeof one?.type === 'string' ? one.type : 'none';
}

function authorOf(folder) {
  const author = manifestOf(folder)?.author;
  const name = typeof author === 'string' ? author : author?.name;
  return name?.replace(/\s*[<(].*$/, '');
}

function manifestOf(folder) {
  const file = join(folder, 'package.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}

function byLicence(packages) {
  const groups = new Map();
  for (const one of packages) groups.set(one.licence, [...(groups.get(one.licence) ?? []), one]);
  return groups;
}

function compare(a, b) {
  return a < b ? -1 : Number(a > b);
}

const MIT_TEXT = `Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.`;
