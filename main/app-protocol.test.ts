import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';

import { CONTENT_SECURITY_POLICY, resolveAppFile, serveAppFile } from './app-protocol';

const ROOT = '/opt/sluice/out/renderer';

describe('app protocol', () => {
  it('finds files of the bundle', () => {
    expect(resolveAppFile('app://sluice/index.html', ROOT)).toBe(`${ROOT}/index.html`);
    expect(resolveAppFile('app://sluice/assets/a%20b.js?x=1#y', ROOT)).toBe(`${ROOT}/assets/a b.js`);
  });

  it.each([
    'app://sluice/../main/index.js',
    'app://sluice/%2e%2e/main/index.js',
    'app://sluice/..%2fmain%2findex.js',
    'app://sluice/assets/..%2f..%2f..%2fmain/index.js',
    'app://sluice/..%5c..%5cmain%5cindex.js',
    'app://sluice/index.js%00.html',
    'app://sluice/%',
    'app://sluice/',
    'app://other/index.html',
    'file:///etc/passwd',
    'app://sluice/secrets.env',
    'not a url',
  ])('finds nothing outside the root for %s', (url) => {
    const file = resolveAppFile(url, ROOT);
    // A URL parser may fold dots itself: then the file lies inside the root, where there is none.
    if (file !== undefined) expect(file.startsWith(`${ROOT}/`)).toBe(true);
    else expect(file).toBeUndefined();
  });

  it('never leaves the root, however a path is written', () => {
    const part = fc.constantFrom(
      '..',
      '.',
      '%2e%2e',
      '%2f',
      '/',
      '\\',
      '%5c',
      'a',
      'index.html',
      '%00',
      '//',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        const file = resolveAppFile(`app://sluice/${parts.join('')}`, ROOT);
        if (file !== undefined) expect(file.startsWith(`${ROOT}/`)).toBe(true);
      }),
    );
  });

  it('serves with the policy, and 404 for what is not there', async () => {
    const root = mkdtempSync(join(tmpdir(), 'sluice-app-'));
    onTestFinished(() => rmSync(root, { recursive: true, force: true }));
    writeFileSync(join(root, 'index.html'), '<p>hello</p>');
    const found = await serveAppFile('app://sluice/index.html', root);
    expect(found.status).toBe(200);
    expect(found.headers.get('content-security-policy')).toBe(CONTENT_SECURITY_POLICY);
    expect(await found.text()).toBe('<p>hello</p>');
    expect((await serveAppFile('app://sluice/missing.js', root)).status).toBe(404);
    expect((await serveAppFile('app://sluice/..%2fx.js', root)).status).toBe(404);
  });

  it('allows nothing by default and no inline or evaluated code', () => {
    expect(CONTENT_SECURITY_POLICY).toMatch(/^default-src 'none'/);
    expect(CONTENT_SECURITY_POLICY).not.toMatch(/unsafe|\*|https?:/);
  });
});
