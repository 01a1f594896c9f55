import { spawn, type ChildProcess } from 'node:child_process';

import { z } from 'zod';

import { workerFile } from '../../../base';
import type { Clock } from '../../../base';
import { processEndText, SluiceError } from '../../../contract';
import type { ErrorCode, ErrorDetails } from '../../../contract';
import { appVersion, findAppRoot } from '../../app-root';
import { writeCrashReport } from '../../crash-reports/crash-folder';
import { isoTime } from '../../host-clock';
import type { Log } from '../../state-file';
import type { NodeProgram } from './find-node';

export interface LabChildOptions {
  readonly node: NodeProgram;
  readonly dataDir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly log: Log;
}

/** A lab's server that ends with this process, however that ends. */
export interface LabChild {
  /** How it ended, and why if it said so: `ended by SIGKILL ...`. */
  readonly ended: Promise<string>;
  /** Asks it to end, and waits for that, but not for ever; runs go on. */
  close(): Promise<void>;
  /** Ends it at once, for one that hangs; runs go on. */
  kill(): Promise<void>;
}

const READY_WITHIN_MS = 60_000;
const CLOSED_WITHIN_MS = 5000;
/** As much of its stderr as is kept to explain its death. */
const LAST_WORDS_CHARACTERS = 2000;

const readySchema = z.object({ url: z.string() });
const errorSchema = z.object({
  error: z.object({
    code: z.custom<ErrorCode>((code) => typeof code === 'string'),
    message: z.string(),
    details: z.custom<ErrorDetails>((details) => typeof details === 'object').default({}),
  }),
});

/**
 * Starts `sluice lab serve` on a data folder. Its standard input is a pipe of ours, which the system closes when we die.
 * @throws SluiceError what it says: `conflict` when another process has the lab.
 */
export async function startLabChild(options: LabChildOptions): Promise<LabChild> {
  const { node, dataDir, env, clock, log } = options;
  const args = ['--json', '--data-dir', dataDir, 'lab', 'serve', '--port', '0', '--until-stdin-ends'];
  const child = spawn(node.file, [workerFile('cli'), ...args], {
    env: { ...env, ...node.environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let lastWords = '';
  child.stderr.on('data', (chunk: Buffer) => {
    const text = chunk.toString('utf8');
    lastWords = (lastWords + text).slice(-LAST_WORDS_CHARACTERS);
    log(`lab: ${text.trimEnd()}`);
  });
  // Written to after its end: that it has ended is told by `exit`.
  child.stdin.on('error', () => undefined);
  const ended = endOf(child, () => lastWords);
  const cancel = clock.after(READY_WITHIN_MS, () => child.kill('SIGKILL'));
  try {
    await ready(child, ended);
  } catch (thrown) {
    child.stdin.destroy();
    throw thrown;
  } finally {
    cancel();
  }
  let isClosing = false;
  void ended.then((how) => {
    // An error of its own it has reported itself; a signal leaves it no time to.
    if (isClosing || child.signalCode === null) return;
    const at = isoTime(clock.nowMs());
    const about = { at, app: appVersion(findAppRoot(__dirname)), process: 'lab serve', reason: how };
    const path = writeCrashReport(dataDir, { ...about, lastLines: lastWords.trimEnd().split('\n') });
    if (path !== undefined) log(`lab: a crash report is in ${path}`);
  });
  return {
    ended,
    close: () => {
      isClosing = true;
      return close(child, ended, clock);
    },
    kill: async () => {
      isClosing = true;
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** @returns what continues "The lab's server ...". */
function endOf(child: ChildProcess, log: () => string): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`could not be started: ${error.message}`));
    child.once('close', (code, signal) => {
      resolve(processEndText({ code: code ?? 0, log: log(), ...(signal !== null && { signal }) }));
    });
  });
}

/** Resolves when it has said that it listens: it prints one document, that or an error. */
function ready(child: ChildProcess, ended: Promise<string>): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString('utf8');
      if (readySchema.safeParse(documentOf(said)).success) resolve();
    });
    void ended.then((how) => {
      const refused = errorSchema.safeParse(documentOf(said));
      reject(
        refused.success
          ? SluiceError.fromWire(refused.data.error)
          : new SluiceError('unavailable', `The lab's server did not start: it ${how}.`),
      );
    });
  });
}

function documentOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

async function close(child: ChildProcess, ended: Promise<string>, clock: Clock): Promise<void> {
  child.stdin?.end();
  let cancel: (() => void) | undefined;
  const late = new Promise<void>((resolve) => (cancel = clock.after(CLOSED_WITHIN_MS, resolve)));
  await Promise.race([ended, late]);
  cancel?.();
  child.unref();
}
