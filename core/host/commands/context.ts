import { homedir } from 'node:os';
import { resolve } from 'node:path';

import { SluiceError } from '../../contract';
import type { Command } from 'commander';
import { findAppRoot } from '../app-root';
import { refuseNewerDataFolder } from '../data-folder';
import { dataDirOf, threadsOf } from '../environment';
import type { Services } from '../services';
import { EXIT, exitCodeOf } from './exit-codes';

/** What a command gives: both forms, of which one is printed. */
export interface Outcome {
  readonly json: unknown;
  readonly text: string;
  /** Default 0. */
  readonly exitCode?: number;
}

export interface CommandContext {
  readonly json: boolean;
  /** Aborts on SIGINT. */
  readonly signal: AbortSignal;
  /** To stderr. */
  readonly log: (message: string) => void;
  readonly appRoot: string;
  readonly dataDir: string;
  /** The engine of this process; started at the first call. `servesConsoles`: see `ServicesOptions`. */
  readonly services: (options?: { readonly servesConsoles: boolean }) => Promise<Services>;
  /** Prints the outcome now; for a command that goes on afterwards. At most once. */
  readonly print: (outcome: Outcome) => void;
}

export interface GlobalOptions {
  readonly json?: boolean;
  readonly dataDir?: string;
}

/**
 * Runs a command: prints its one outcome, or its error, sets the exit code, and closes the engine.
 * SIGINT cancels; a second one ends the process at once.
 */
export async function execute(
  command: Command,
  work: (context: CommandContext) => Promise<Outcome | undefined>,
): Promise<void> {
  const globals = command.optsWithGlobals<GlobalOptions>();
  const json = globals.json === true;
  const abort = new AbortController();
  const interrupt = (): void => {
    if (abort.signal.aborted) process.exit(EXIT.cancelled);
    abort.abort();
  };
  process.on('SIGINT', interrupt);
  let starting: Promise<Services> | undefined;
  // Asked for late: `sluice host --user` becomes another user, with another home, before it touches the folder.
  const dataDir = (): string => {
    const { dataDir: chosen } = globals;
    const folder = chosen === undefined ? dataDirOf(process.env, homedir()) : resolve(chosen);
    refuseNewerDataFolder(folder);
    return folder;
  };
  const print = (outcome: Outcome): void => {
    process.stdout.write(json ? `${JSON.stringify(outcome.json, null, 2)}\n` : `${outcome.text}\n`);
  };
  try {
    const appRoot = findAppRoot(__dirname);
    // ONNX Runtime, images, tokenizers: loaded only where a command needs the engine.
    const services = (options = { servesConsoles: false }): Promise<Services> =>
      (starting ??= import('../services').then(({ startServices }) =>
        startServices({ dataDir: dataDir(), threads: threadsOf(process.env), appRoot, ...options, log }),
      ));
    const context: CommandContext = {
      ...{ json, signal: abort.signal, log, appRoot, services, print },
      get dataDir() {
        return dataDir();
      },
    };
    const outcome = await work(context);
    if (outcome) print(outcome);
    process.exitCode = outcome?.exitCode ?? EXIT.done;
  } catch (thrown) {
    reportError(SluiceError.from(thrown), json);
  } finally {
    await starting?.then((services) => services.close()).catch((thrown: unknown) => reportClose(thrown));
    process.off('SIGINT', interrupt);
    // What could not be stopped ends with the process.
    if (process.exitCode === EXIT.cancelled) process.exit();
  }
}

/**
 * Calls `cancel` when the command is cancelled, at once if it was already.
 * @returns the way to stop listening.
 */
export function onCancel(signal: AbortSignal, cancel: () => void): () => void {
  if (signal.aborted) cancel();
  else signal.addEventListener('abort', cancel, { once: true });
  return () => signal.removeEventListener('abort', cancel);
}

/** Prints an error in the form asked for and sets the exit code. */
export function reportError(error: SluiceError, json: boolean): void {
  if (json) process.stdout.write(`${JSON.stringify({ error: error.toWire() }, null, 2)}\n`);
  else log(`sluice: ${error.message}`);
  if (error.code === 'internal' && error.cause instanceof Error) log(error.cause.stack ?? '');
  process.exitCode = exitCodeOf(error.code);
}

/** Starting failed, which was reported, or closing did, which changes nothing about what was done. */
function reportClose(thrown: unknown): void {
  if (process.exitCode === EXIT.done) log(`sluice: closing the engine: ${SluiceError.from(thrown).message}`);
}

function log(message: string): void {
  process.stderr.write(`${message}\n`);
}
