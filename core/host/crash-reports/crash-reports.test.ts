import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { runCli } from '../test-support/run-cli';
import { listCrashes, writeCrashReport } from './crash-folder';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'sluice-crashes-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const REPORT = {
  at: '2026-01-02T03:04:05.678Z',
  app: '0.1.0',
  process: 'host',
  reason: 'uncaughtException',
  error: 'Error: no Bearer abcdefghijk123456',
  lastLines: ['GET http://127.0.0.1:1/?token=abcdefghijk123456'],
};

describe('crash reports', () => {
  it('are for their owner alone, without secrets, and no more than a few', () => {
    const path = writeCrashReport(folder, REPORT)!;
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'crashes')).mode & 0o777).toBe(0o700);
    expect(readFileSync(path, 'utf8')).not.toContain('abcdefghijk123456');
    for (let day = 10; day < 40; day += 1)
      writeCrashReport(folder, { ...REPORT, at: `2026-02-${day}T00:00:00.000Z` });
    expect(readdirSync(join(folder, 'crashes'))).toHaveLength(20);
    expect(listCrashes(folder)[0]).toMatchObject({ at: '2026-02-39T00:00:00.000Z' });
  });

  it('that can not be written are no further failure', () => {
    writeFileSync(join(folder, 'crashes'), '');
    expect(writeCrashReport(folder, REPORT)).toBeUndefined();
  });

  it('are listed, shown and removed by commands', async () => {
    expect((await runCli(folder, ['crashes', 'list'])).stdout).toMatch(/No process of Sluice has crashed/);
    writeCrashReport(folder, REPORT);
    writeCrashReport(folder, { ...REPORT, at: '2026-03-01T00:00:00.000Z', process: 'lab serve' });
    const { crashes } = (await runCli(folder, ['crashes', 'list', '--json'])).json() as {
      crashes: readonly { id: string; process: string }[];
    };
    expect(crashes.map((crash) => crash.process)).toEqual(['lab serve', 'host']);
    const shown = await runCli(folder, ['crashes', 'show', crashes[1]!.id]);
    expect(shown.stdout).toMatch(/^host of Sluice 0\.1\.0 ended at .*uncaughtException[^]*token=|redacted/);
    expect((await runCli(folder, ['crashes', 'show', 'nothing'])).code).toBe(2);
    expect((await runCli(folder, ['crashes', 'remove', crashes[1]!.id])).stdout).toMatch(/Removed 1/);
    expect((await runCli(folder, ['crashes', 'remove'])).stdout).toMatch(/Removed 1/);
    expect(listCrashes(folder)).toEqual([]);
  });

  it.each([
    ['an exception', "throw new Error('boom token=abcdefghijk123456')", 'uncaughtException'],
    [
      'a promise that nobody handles',
      "Promise.reject(new Error('boom token=abcdefghijk123456'))",
      'unhandledRejection',
    ],
  ])(
    '%s of a command leaves one, with its stack and last lines, and ends it as ever',
    (_what, failure, origin) => {
      const program = join(folder, 'fails.cjs');
      // Beside what the command does, as a mistake of ours would be.
      writeFileSync(
        program,
        `setTimeout(() => { process.stderr.write('last words\\n'); ${failure}; }, 300);`,
      );
      const { status, stderr } = spawnSync(
        process.execPath,
        ['--require', program, 'out/main/cli.js', 'lab', 'serve', '--port', '0'],
        { env: { ...process.env, SLUICE_DATA_DIR: folder }, encoding: 'utf8', timeout: 30_000 },
      );
      expect(status).toBe(1);
      expect(stderr).toMatch(/a crash report is in .*crashes/);
      const [crash] = listCrashes(folder);
      expect(crash).toMatchObject({ process: 'lab serve', reason: origin });
      expect(crash!.error).toMatch(/boom token=\[redacted\][^]*fails\.cjs/);
      expect(crash!.lastLines).toContain('last words');
    },
  );
});
