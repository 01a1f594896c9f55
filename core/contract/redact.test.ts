import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  crashFileName,
  crashFileText,
  errorText,
  isCrashFile,
  KEPT_CRASH_REPORTS,
  surplusCrashFiles,
} from './crash-report';
import type { CrashReport } from './crash-report';
import { redact } from './redact';

const HOME = '/home/ada';
const clean = (text: string): string => redact(text, { home: HOME });

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-';
/** As Sluice and others make them. */
const secret = fc
  .array(fc.constantFrom(...Array.from(letters)), { minLength: 12, maxLength: 64 })
  .map((found) => `s3${found.join('')}`);

/** Where secrets stand in what programs write. */
const PLACES: readonly ((secret: string) => string)[] = [
  (one) => `Authorization: Bearer ${one}`,
  (one) => `{"authorization":"Basic ${one}"}`,
  (one) => `authorization: ${one}`,
  (one) => `Cookie: a=b; sluice-session-8787=${one}`,
  (one) => `set-cookie: sluice-session=${one}; HttpOnly`,
  (one) => `x-api-key: ${one}`,
  (one) => `request failed with Bearer ${one}, try again`,
  (one) => `token=${one}`,
  (one) => `"token": "${one}"`,
  (one) => `{'apiKey': '${one}'}`,
  (one) => `sluice --token ${one} --json`,
  (one) => `HF_TOKEN=${one} node cli.js`,
  (one) => `password: ${one}`,
  (one) => `GET http://127.0.0.1:8787/?token=${one}`,
  (one) => `https://ada:${one}@edge-7:8000/v2`,
  (one) => `https://${one}@host/path?x=${one}#${one}`,
  (one) => `ws://host/engine?session=${one}&b=1`,
  (one) => `{"prompt":"${one} please"}`,
  (one) => `content: "a ${one} b"`,
  (one) => `messages: [{"role":"user","x":"${one}"}]`,
  (one) => `eyJ${one}.${one}.${one}`,
  (one) => `hf_${one}`,
  (one) => `sk-${one}`,
  (one) => `the reply was "${'words '.repeat(20)}${one}"`,
];

describe('redaction', () => {
  it('no secret survives, wherever it stands', () => {
    fc.assert(
      fc.property(secret, fc.constantFrom(...PLACES), fc.lorem(), fc.lorem(), (one, place, before, after) => {
        for (const text of [
          place(one),
          `${before} ${place(one)} ${after}`,
          `${before}\n${place(one)}\n${after}`,
        ]) {
          expect(clean(text)).not.toContain(one);
        }
      }),
    );
  });

  it('nor in the file of a report, in none of its fields', () => {
    fc.assert(
      fc.property(secret, fc.constantFrom(...PLACES), (one, place) => {
        const error = errorText(new Error(place(one), { cause: new Error(place(one)) }));
        const text = crashFileText(
          { ...REPORT, reason: place(one), error, lastLines: ['x', place(one)] },
          HOME,
        );
        expect(text).not.toContain(one);
        expect(JSON.parse(text)).toMatchObject({ process: 'engine' });
      }),
    );
  });

  it('is done once and for all', () => {
    fc.assert(
      fc.property(secret, fc.constantFrom(...PLACES), (one, place) => {
        const once = clean(place(one));
        expect(clean(once)).not.toContain(one);
      }),
    );
  });

  it.each([
    ['/home/ada/models/net.onnx', '~/models/net.onnx'],
    ['/home/bob/x and /Users/eve/y', '~/x and ~/y'],
    ['C:\\Users\\eve\\data', '~\\data'],
    ['at run (/opt/sluice/out/main/engine.js:10:5)', 'at run (/opt/sluice/out/main/engine.js:10:5)'],
    ['https://host:8000/v2/models/net/infer', 'https://host:8000/v2/models/net/infer'],
    ['Error: EIO: i/o error, read', 'Error: EIO: i/o error, read'],
    ['4096 bytes of layer conv1', '4096 bytes of layer conv1'],
  ])('%s becomes %s', (text, expected) => expect(clean(text)).toBe(expected));
});

const REPORT: CrashReport = {
  version: 1,
  at: '2026-01-02T03:04:05.678Z',
  app: '0.1.0',
  process: 'engine',
  reason: 'exit code 139',
  lastLines: [],
  platform: 'linux x64',
};

describe('files of reports', () => {
  it('have names in the order of time', () => {
    expect(crashFileName({ ...REPORT, process: 'lab serve' }, 7)).toBe(
      '20260102T030405678Z-lab-serve-7.json',
    );
    expect(isCrashFile(crashFileName(REPORT, 7))).toBe(true);
    expect(isCrashFile('../etc/passwd')).toBe(false);
  });

  it('are bounded in size and number', () => {
    const line = 'word '.repeat(100_000);
    const text = crashFileText({ ...REPORT, error: line, lastLines: Array<string>(1000).fill(line) }, HOME);
    expect(text.length).toBeLessThan(150_000);
    const names = Array.from({ length: 30 }, (_, day) =>
      crashFileName({ ...REPORT, at: `2026-01-${String(day + 1).padStart(2, '0')}T00:00:00.000Z` }, 1),
    );
    expect(surplusCrashFiles([...names].reverse())).toEqual(names.slice(0, 30 - KEPT_CRASH_REPORTS));
    expect(surplusCrashFiles(names.slice(0, 3))).toEqual([]);
  });
});
