#!/usr/bin/env node
import { Command, CommanderError } from 'commander';

import { SluiceError } from '../contract';
import { appVersion, findAppRoot } from './app-root';
import { addBenchCommands } from './commands/bench';
import { reportError } from './commands/context';
import { addHostCommand } from './commands/host';
import { addModelCommands } from './commands/models';
import { addOffloadCommands } from './commands/offload';
import { addRunCommand } from './commands/run';

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
  addOffloadCommands(program);
  addBenchCommands(program);
  addHostCommand(program);
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
    const usage = thrown instanceof CommanderError;
    const error = usage
      ? new SluiceError('bad-input', `${thrown.message} See "sluice --help".`)
      : SluiceError.from(thrown);
    reportError(error, argv.includes('--json'));
  }
}

void main(process.argv);
