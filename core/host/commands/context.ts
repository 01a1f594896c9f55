import { homedir } from 'node:os';
import { resolve } from 'node:path';

import { printable, SluiceError } from '../../contract';
import type { Command } from 'commander';
import { appVersion, findAppRoot } from '../app-root';
import type { CrashWriter } from '../crash-reports/install-crash-reports';
import { dataDirOf, threadsOf } from '../environment';
import type { Services } from '../services';
import { EXIT, exitCodeOf } from './exit-codes';
import { foreignFolderNote } from './foreign-folder';

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
 * @param options `isService`: something starts it again when it fails, unless its exit code says that this is no use.
 */
export async function execute(
  command: Command,
  work: (context: CommandContext) => Promise<Outcome | undefined>,
  { isService = false } = {},
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
  const dataDir = (): string =>
    globals.dataDir === undefined ? dataDirOf(process.env, homedir()) : resolve(globals.dataDir);
  let crashes: CrashWriter | undefined;
  const print = (outcome: Outcome): void => {
    process.stdout.write(`${printable(json ? JSON.stringify(outcome.json, null, 2) : outcome.text)}\n`);
  };
  try {
    const appRoot = findAppRoot(__dirname);
    // Not for what asks for a command's help, or for the version: both end before there is anything to run.
    const { installCrashReports } = await import('../crash-reports/install-crash-reports');
    const { refuseNewerDataFolder } = await import('../data-folder');
    const usableDataDir = (): string => {
      const folder = dataDir();
      refuseNewerDataFolder(folder);
      return folder;
    };
    crashes = installCrashReports({ dataDir, process: nameOf(command), app: appVersion(appRoot) });
    // ONNX Runtime, images, tokenizers: loaded only where a command needs the engine.
    const services = (options = { servesConsoles: false }): Promise<Services> => {
      const note = starting ? undefined : foreignFolderNote(dataDir(), process.getuid?.());
      if (note !== undefined) log(note);
      return (starting ??= import('../services').then(({ startServices }) =>
        startServices({
          dataDir: usableDataDir(),
          threads: threadsOf(process.env),
          appRoot,
          ...options,
          log,
        }),
      ));
    };
    const context: CommandContext = {
      ...{ json, signal: abort.signal, log, appRoot, services, print },
      get dataDir() {
        return usableDataDir();
      },
    };
    const outcome = await work(context);
    if (outcome) print(outcome);
    process.exitCode = outcome?.exitCode ?? EXIT.done;
  } catch (thrown) {
    const error = SluiceError.from(thrown);
    reportError(error, json, isService);
    // A mistake of ours, or an engine that died: nobody else will tell.
    if (error.code === 'internal' || error.code === 'engine-down') crashes?.write(error.code, thrown);
  } finally {
    await starting?.then((services) => services.close()).catch((thrown: unknown) => reportClose(thrown));
    process.off('SIGINT', interrupt);
    // What could not be stopped ends with the process.
    if (process.exitCode === EXIT.cancelled) process.exit();
  }
}

/** `lab serve`, as it is typed. */
function nameOf(command: Command): string {
  const { parent } = command;
  return parent?.parent ? `${nameOf(parent)} ${command.name()}` : command.name();
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
export function reportError(error: SluiceError, json: boolean, isService = false): void {
  if (json) process.stdout.write(`${printable(JSON.stringify({ error: error.toWire() }, null, 2))}\n`);
  else log(`sluice: ${error.message}`);
  if (error.code === 'internal' && error.cause instanceof Error) log(error.cause.stack ?? '');
  process.exitCode = exitCodeOf(error, isService);
}

/** Starting failed, which was reported, or closing did, which changes nothing about what was done. */
function reportClose(thrown: unknown): void {
  if (process.exitCode === EXIT.done) log(`sluice: closing the engine: ${SluiceError.from(thrown).message}`);
}

function log(message: string): void {
  process.stderr.write(`${printable(message)}\n`);
}
