import { errorText } from '../../contract';
import { isoTime, systemClock } from '../host-clock';
import { writeCrashReport } from './crash-folder';

/** As much of what a process wrote to stderr as goes with a report. */
const KEPT_CHARS = 16_000;

export interface ReportedProcess {
  /** Asked for when there is something to write: a host that drops its privileges has another folder then. */
  readonly dataDir: () => string;
  /** `engine`, `host`, `lab serve`, ... */
  readonly process: string;
  readonly app: string;
}

/** Tells a crash of this process. */
export interface CrashWriter {
  /** @returns the path of the report. */
  readonly write: (reason: string, thrown?: unknown) => string | undefined;
}

/**
 * From now on an error that nobody handles leaves a report before it ends this process as it always does, and what is
 * written to stderr is remembered for it.
 */
export function installCrashReports(about: ReportedProcess): CrashWriter {
  const tail = rememberStderr();
  const write: CrashWriter['write'] = (reason, thrown) =>
    writeCrashReport(about.dataDir(), {
      at: isoTime(systemClock.nowMs()),
      app: about.app,
      process: about.process,
      reason,
      ...(thrown !== undefined && { error: errorText(thrown) }),
      lastLines: tail().trimEnd().split('\n'),
    });
  process.on('uncaughtExceptionMonitor', (error, origin) => {
    const path = write(origin, error);
    if (path !== undefined) process.stderr.write(`sluice: a crash report is in ${path}\n`);
  });
  return { write };
}

function rememberStderr(): () => string {
  let tail = '';
  const { stderr } = process;
  const write = stderr.write.bind(stderr);
  stderr.write = (chunk: string | Uint8Array, ...rest: never[]) => {
    tail = (tail + (typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8'))).slice(
      -KEPT_CHARS,
    );
    return write(chunk, ...rest);
  };
  return () => tail;
}
