import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { z } from 'zod';

import {
  CRASH_FOLDER,
  crashFileName,
  crashFileText,
  isCrashFile,
  SluiceError,
  surplusCrashFiles,
} from '../../contract';
import type { CrashReport } from '../../contract';
import { ioError } from '../../storage';

const OWNER_ONLY = 0o600;
const OWNER_ONLY_FOLDER = 0o700;

const reportSchema: z.ZodType<CrashReport> = z.object({
  version: z.literal(1),
  at: z.string(),
  app: z.string(),
  process: z.string(),
  reason: z.string(),
  error: z.string().exactOptional(),
  lastLines: z.array(z.string()),
  platform: z.string(),
});

export interface KeptCrash extends CrashReport {
  /** The name of its file. */
  readonly id: string;
  readonly path: string;
}

/** Of a process that runs here. */
export function platformText(): string {
  const { platform, arch, versions } = process;
  const { electron } = versions as { readonly electron?: string };
  return `${platform} ${arch}, Node ${versions.node}${electron === undefined ? '' : `, Electron ${electron}`}`;
}

/**
 * Writes a report, redacted, for its owner alone; the oldest beyond a bound go. Synchronous: the process may be about to end.
 * @returns its path; undefined when it can't be written, which must not hide why there was one.
 */
export function writeCrashReport(
  dataDir: string,
  report: Omit<CrashReport, 'version' | 'platform'>,
): string | undefined {
  const folder = join(dataDir, CRASH_FOLDER);
  const whole: CrashReport = { version: 1, ...report, platform: platformText() };
  try {
    mkdirSync(folder, { recursive: true, mode: OWNER_ONLY_FOLDER });
    const path = join(folder, crashFileName(whole, process.pid));
    writeFileSync(path, crashFileText(whole, homedir()), { mode: OWNER_ONLY });
    chmodSync(path, OWNER_ONLY);
    for (const name of surplusCrashFiles(readdirSync(folder))) rmSync(join(folder, name), { force: true });
    return path;
  } catch {
    return undefined;
  }
}

/** The newest first; files that are none of ours are left out. @throws SluiceError `io`. */
export function listCrashes(dataDir: string): readonly KeptCrash[] {
  const folder = join(dataDir, CRASH_FOLDER);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter(isCrashFile)
    .sort()
    .reverse()
    .flatMap((name) => {
      const path = join(folder, name);
      const report = reportIn(path);
      return report ? [{ id: name.replace(/\.json$/, ''), path, ...report }] : [];
    });
}

/** @param id as listed, or `latest`. @throws SluiceError `not-found`, `io`. */
export function findCrash(dataDir: string, id: string): KeptCrash {
  const all = listCrashes(dataDir);
  const found = id === 'latest' ? all[0] : all.find((crash) => crash.id === id);
  if (found) return found;
  throw new SluiceError(
    'not-found',
    `There is no crash report ${id} in ${join(dataDir, CRASH_FOLDER)}. "sluice crashes list" shows what there is.`,
    { id },
  );
}

/** @param id absent: all, with what the system kept of native crashes. @returns how many went. @throws SluiceError `not-found`, `io`. */
export function removeCrashes(dataDir: string, id?: string): number {
  const gone = id === undefined ? listCrashes(dataDir) : [findCrash(dataDir, id)];
  try {
    for (const { path } of gone) rmSync(path, { force: true });
    if (id === undefined) rmSync(join(dataDir, CRASH_FOLDER), { recursive: true, force: true });
  } catch (cause) {
    throw ioError(`Can't remove crash reports from ${dataDir}`, cause);
  }
  return gone.length;
}

function reportIn(path: string): CrashReport | undefined {
  try {
    return reportSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined;
  }
}
