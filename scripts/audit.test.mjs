import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { judgeAudit, lockFaults, manifestFaults, readJson } from './lib/dependency-checks.mjs';
import { licenceFaults, licencePage, productionPackages, writeThirdPartyNotices } from './lib/licences.mjs';
import { ROOT } from './lib/paths.mjs';

const SOUND = { version: '1.0.0', integrity: 'sha512-aaaa' };

describe('where packages come from', () => {
  it('is sound here', () => {
    expect(lockFaults(readJson('package-lock.json'))).toEqual([]);
    expect(manifestFaults(readJson('package.json'))).toEqual([]);
  });

  it.each([
    [{ integrity: undefined }, /has no sha512/],
    [{ integrity: 'sha1-aaaa' }, /has no sha512/],
    [{ resolved: 'git+ssh://git@example.invalid/a.git#1' }, /comes from git\+ssh/],
    [{ resolved: 'http://example.invalid/a.tgz' }, /comes from http:/],
    [{ link: true }, /is a link to a folder/],
    [{ hasInstallScript: true }, /has an install script/],
    [{ deprecated: 'use b' }, /is deprecated: use b/],
  ])('refuses %j', (change, message) => {
    const lock = { packages: { '': {}, 'node_modules/a': { ...SOUND, ...change } } };
    expect(lockFaults(lock).join('\n')).toMatch(message);
    expect(lockFaults({ packages: { 'node_modules/a': SOUND } })).toEqual([]);
  });

  it.each(['git+https://example.invalid/a.git', 'file:../a', 'https://example.invalid/a.tgz', '*', 'latest'])(
    'refuses a dependency on %s',
    (range) => expect(manifestFaults({ dependencies: { a: range } })).toHaveLength(1),
  );
});

describe('advisories', () => {
  const advisory = (severity) => ({
    source: 1,
    url: 'https://github.com/advisories/GHSA-1',
    title: 'T',
    severity,
    range: '<2',
  });
  const printed = (severity) =>
    `npm warn x\n${JSON.stringify({ vulnerabilities: { a: { name: 'a', via: ['b', advisory(severity)] } } }, null, 2)}\n`;
  const exception = { id: 'GHSA-1', reason: 'not reached', expires: '2026-12-31' };

  it('of high severity fail, lower ones are counted', () => {
    expect(judgeAudit(printed('critical'), [], '2026-12-01').faults).toEqual(['a: critical: T (GHSA-1, <2)']);
    expect(judgeAudit(printed('moderate'), [], '2026-12-01')).toEqual({
      skipped: false,
      faults: [],
      below: 1,
    });
  });

  it('pass under an exception until it ends', () => {
    expect(judgeAudit(printed('high'), [exception], '2026-12-31').faults).toEqual([]);
    expect(judgeAudit(printed('high'), [exception], '2027-01-01').faults).toEqual([
      'the exception for GHSA-1 ended on 2026-12-31; update the package or look again',
      'a: high: T (GHSA-1, <2)',
    ]);
  });

  it('are skipped where the registry does not answer', () => {
    const refused = 'npm warn audit 405\n{\n  "message": "405 Method Not Allowed",\n  "statusCode": 405\n}\n';
    expect(judgeAudit(refused, [], '2026-12-01')).toEqual({ skipped: true, why: 'it says 405' });
    expect(judgeAudit('', [], '2026-12-01')).toEqual({ skipped: true, why: 'no answer' });
  });
});

describe('licences', () => {
  const packages = productionPackages();

  it('are allowed ones, and listed', () => {
    expect(licenceFaults(packages)).toEqual([]);
    expect(readFileSync(join(ROOT, 'docs', 'licences.md'), 'utf8')).toBe(licencePage(packages));
    expect(packages.some(({ name }) => name === 'vitest')).toBe(false);
  });

  it('of another kind are refused', () => {
    const one = { name: 'a', version: '1.0.0', licence: 'AGPL-3.0', path: 'node_modules/a' };
    expect(licenceFaults([one])[0]).toMatch(/a 1\.0\.0 is under AGPL-3\.0; expected one of MIT, /);
  });

  it('are shipped with their texts', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-notices-'));
    try {
      const file = join(folder, 'THIRD-PARTY-NOTICES.txt');
      const count = writeThirdPartyNotices(file);
      const text = readFileSync(file, 'utf8');
      expect(count).toBe(text.match(/^\S+ \d[\w.+-]* \((?:\(.*\)|[\w.-]+)\)$/gm).length);
      expect(text).toMatch(/onnxruntime-node \d.*\(MIT\)[^]*Copyright \(c\) Microsoft Corporation/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
