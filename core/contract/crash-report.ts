import { redact } from './redact';

/** What a process of Sluice left when it ended unexpectedly. Kept in the data folder, sent nowhere. */
export interface CrashReport {
  readonly version: 1;
  /** ISO time. */
  readonly at: string;
  readonly app: string;
  /** `main`, `engine`, `renderer`, `host`, `lab serve`, ... */
  readonly process: string;
  /** How it ended. */
  readonly reason: string;
  /** With its stack and causes, where there was one. */
  readonly error?: string;
  /** Of its log, the last last. */
  readonly lastLines: readonly string[];
  /** System, processor, and versions of what it ran in. */
  readonly platform: string;
}

/** Folder of the reports in the data folder. */
export const CRASH_FOLDER = 'crashes';
/** The oldest go beyond this many. */
export const KEPT_CRASH_REPORTS = 20;
const MOST_LINES = 100;
const MOST_LINE_CHARS = 1000;
const MOST_ERROR_CHARS = 16_000;
const FILE_NAME = /^\d{8}T\d{9}Z-[a-z-]+-\d+\.json$/;

/** Of files named by `crashFileName`. */
export function isCrashFile(name: string): boolean {
  return FILE_NAME.test(name);
}

/** In the order of time: `20260102T030405678Z-engine-4711.json`. */
export function crashFileName({ at, process }: CrashReport, pid: number): string {
  const what = process.toLowerCase().replace(/[^a-z]+/g, '-');
  return `${at.replace(/[-:.]/g, '')}-${what}-${pid}.json`;
}

/** The text of a report's file, redacted and of bounded size. @param home the user's home folder. */
export function crashFileText(report: CrashReport, home: string): string {
  const clean = (text: string): string => redact(text, { home });
  const { reason, error, lastLines } = report;
  const redacted: CrashReport = {
    ...report,
    reason: clean(reason).slice(0, MOST_LINE_CHARS),
    ...(error !== undefined && { error: clean(error).slice(0, MOST_ERROR_CHARS) }),
    // As one text: a secret may go over several lines.
    lastLines: clean(lastLines.slice(-MOST_LINES).join('\n'))
      .split('\n')
      .map((line) => line.slice(0, MOST_LINE_CHARS)),
  };
  return `${JSON.stringify(redacted, null, 2)}\n`;
}

/** An error with its stack, and the errors behind it. */
export function errorText(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const own = thrown.stack ?? `${thrown.name}: ${thrown.message}`;
  return thrown.cause === undefined ? own : `${own}\nCaused by: ${errorText(thrown.cause)}`;
}

/** Names of files that are too many, of those in the folder of reports. */
export function surplusCrashFiles(names: readonly string[]): readonly string[] {
  return names.filter(isCrashFile).sort().slice(0, -KEPT_CRASH_REPORTS);
}
