#!/usr/bin/env node
import { Command, CommanderError } from 'commander';

import { SluiceError } from '../contract';
import { appVersion, findAppRoot } from './app-root';
import { addBenchCommands } from './commands/bench';
import { reportError } from './commands/context';
import { addCrashCommands } from './commands/crashes';
import { exitCodeOf } from './commands/exit-codes';
import { addGenerateCommand } from './commands/generate';
import { addHostCommand } from './commands/host';
import { addLabCommands } from './commands/lab';
import { addModelCommands } from './commands/models';
import { addOffloadCommands } from './commands/offload';
import { addRunCommand } from './commands/run';
import { addServeCommand } from './commands/serve';

/**
 * The `sluice` command. Exit codes: 0 done; 1 failed; 2 bad usage or bad input (`bad-input`, `bad-model`, `not-found`,
 * `budget-too-small`); 130 cancelled. With `--json` exactly one document goes to stdout, errors included; everything
 * else goes to stderr.
 */
function createProgram(): Command {
  const program = new Command('sluice')
    .description('Stream neural networks from SSD under a memory budget.')
    .version(appVersion(findAppRoot(__dirname)))
    .option('--json', 'print exactly one JSON document on stdout')
    .option('--data-dir <dir>', 'where models are kept (default: SLUICE_DATA_DIR, or the user data folder)')
    .configureOutput({ outputError: () => undefined })
    .exitOverride();
  addModelCommands(program);
  addRunCommand(program);
  addGenerateCommand(program);
  addOffloadCommands(program);
  addLabCommands(program);
  addBenchCommands(program);
  addHostCommand(program);
  addServeCommand(program);
  addCrashCommands(program);
  inherit(program);
  return program;
}

/** Subcommands made by `.command()` take over settings made before them only; this makes it all of them. */
function inherit(command: Command): void {
  for (const child of command.commands) inherit(child.copyInheritedSettings(command));
}

async function main(argv: readonly string[]): Promise<void> {
  try {
    await createProgram().parseAsync(argv);
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return; // help or version was printed
    const json = argv.includes('--json');
    if (thrown instanceof CommanderError) {
      // A command that has only subcommands has printed its help, to stderr, which says it all.
      if (thrown.code === HELP_INSTEAD && !json) process.exitCode = exitCodeOf('bad-input');
      else reportError(usageError(thrown), json);
    } else reportError(SluiceError.from(thrown), json);
  }
}

const HELP_INSTEAD = 'commander.help';

/** Commander's `error: unknown command 'runn'\n(Did you mean run?)` as a sentence. */
function usageError({ code, message }: CommanderError): SluiceError {
  const said =
    code === HELP_INSTEAD
      ? 'a command is missing'
      : message.replace(/^error: /, '').replace(/\s*\n\(?(.+?)\)?$/s, '. $1');
  return new SluiceError(
    'bad-input',
    `${said.replace(/[.]?$/, /[?]$/.test(said) ? '' : '.')} See "sluice --help".`,
  );
}

// Whoever reads the output, as `head` does, has had enough: nothing went wrong.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  throw error;
});

void main(process.argv);
