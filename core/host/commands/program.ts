import { Command } from 'commander';

import { addBenchCommands } from './bench';
import { addGenerateCommand } from './generate';
import { addHostCommand } from './host';
import { addLabCommands } from './lab';
import { addModelCommands } from './models';
import { addOffloadCommands } from './offload';
import { addReportCommands } from './report';
import { addRunCommand } from './run';
import { addServeCommand } from './serve';

/** All of `sluice`: what runs, what its help says, and what the reference in docs/ is made from. */
export function createProgram(version: string): Command {
  const program = new Command('sluice')
    .description('Stream neural networks from SSD under a memory budget.')
    .version(version)
    .option('--json', 'print exactly one JSON document on stdout')
    .option('--data-dir <dir>', 'where models are kept (default: SLUICE_DATA_DIR, or the user data folder)')
    .configureOutput({ outputError: () => undefined })
    .exitOverride();
  addModelCommands(program);
  addRunCommand(program);
  addGenerateCommand(program);
  addOffloadCommands(program);
  addLabCommands(program);
  addReportCommands(program);
  addBenchCommands(program);
  addHostCommand(program);
  addServeCommand(program);
  inherit(program);
  return program;
}

/** Subcommands made by `.command()` take over settings made before them only; this makes it all of them. */
function inherit(command: Command): void {
  for (const child of command.commands) inherit(child.copyInheritedSettings(command));
}
