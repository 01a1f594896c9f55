import { chmodSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

import { app, crashReporter } from 'electron';

import {
  CRASH_FOLDER,
  crashFileName,
  crashFileText,
  ENGINE_REFUSAL_EXIT_CODE,
  errorText,
  processEndText,
  surplusCrashFiles,
} from '../core/contract';
import type { CrashReport, ProcessEnd } from '../core/contract';

/** What Chromium keeps of native crashes, below the folder of reports; its format is its own. */
const NATIVE_FOLDER = 'native';
const KEPT_DUMPS = 5;

let isQuitting = false;

/** As the engine finds its data folder: core/host/environment.ts. */
function dataDir(): string {
  const { SLUICE_DATA_DIR: chosen = '', XDG_DATA_HOME: dataHome = '' } = process.env;
  if (chosen !== '') return resolve(chosen);
  return join(dataHome === '' ? join(homedir(), '.local', 'share') : dataHome, 'sluice');
}

/**
 * From now on what of the main process, its windows and their helpers ends unexpectedly leaves a report in the data
 * folder. Nothing is sent anywhere. Call before anything else of Electron.
 */
export function installCrashReports(): void {
  const native = join(dataDir(), CRASH_FOLDER, NATIVE_FOLDER);
  try {
    mkdirSync(native, { recursive: true, mode: 0o700 });
    pruneDumps(native);
    app.setPath('crashDumps', native);
    crashReporter.start({ uploadToServer: false, compress: false });
  } catch (thrown) {
    // A data folder that can't be written: the engine says so.
    process.stderr.write(`sluice: native crashes leave no trace: ${errorText(thrown)}\n`);
  }
  app.on('before-quit', () => {
    isQuitting = true;
  });
  process.on('uncaughtExceptionMonitor', (error, origin) => {
    write('main', origin, { error: errorText(error) });
  });
  app.on('render-process-gone', (_event, _contents, { reason, exitCode }) => {
    if (reason !== 'clean-exit' && !isQuitting) write('renderer', `${reason}, exit code ${exitCode}`);
  });
  app.on('child-process-gone', (_event, { type, reason, exitCode, name }) => {
    // The engine's end is told with its last words.
    if (reason === 'clean-exit' || isQuitting || name === ENGINE_NAME) return;
    write(name ?? type, `${reason}, exit code ${exitCode}`);
  });
}

/** Of the utility process. */
export const ENGINE_NAME = 'Sluice engine';

/** @returns the path of the report; undefined when the engine was told to end, or it can't be written. */
export function reportEngineEnd(end: ProcessEnd): string | undefined {
  // Whatever its code: on Electron 25 an engine that aborted may have 0.
  if (end.code === ENGINE_REFUSAL_EXIT_CODE || isQuitting) return undefined;
  return write('engine', processEndText(end), { lastLines: end.log.trimEnd().split('\n') });
}

function write(
  what: string,
  reason: string,
  more: Partial<Pick<CrashReport, 'error' | 'lastLines'>> = {},
): string | undefined {
  const { platform, arch, versions } = process;
  const report: CrashReport = {
    version: 1,
    at: new Date().toISOString(),
    app: app.getVersion(),
    process: what,
    reason,
    lastLines: [],
    ...more,
    platform: `${platform} ${arch}, Node ${versions.node}, Electron ${versions.electron}`,
  };
  const folder = join(dataDir(), CRASH_FOLDER);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, crashFileName(report, process.pid));
    writeFileSync(path, crashFileText(report, homedir()), { mode: 0o600 });
    chmodSync(path, 0o600);
    for (const name of surplusCrashFiles(readdirSync(folder))) rmSync(join(folder, name), { force: true });
    return path;
  } catch {
    return undefined; // must not hide what it was about
  }
}

/** Dumps are large: a few of the newest are enough. */
function pruneDumps(folder: string): void {
  const dumps = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.dmp'))
    .map((name) => join(folder, name))
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  for (const path of dumps.slice(KEPT_DUMPS)) rmSync(path, { force: true });
}
