import { Command } from 'commander';

type AddCommands = (program: Command) => void;

/** What `sluice` can be asked for, in the order of its help. Only what is asked for is loaded. */
const COMMANDS: Readonly<Record<string, () => Promise<AddCommands>>> = {
  models: async () => (await import('./models')).addModelCommands,
  run: async () => (await import('./run')).addRunCommand,
  generate: async () => (await import('./generate')).addGenerateCommand,
  offload: async () => (await import('./offload')).addOffloadCommands,
  lab: async () => (await import('./lab')).addLabCommands,
  fleet: async () => (await import('./fleet')).addFleetCommands,
  report: async () => (await import('./report')).addReportCommands,
  bench: async () => (await import('./bench')).addBenchCommands,
  host: async () => (await import('./host')).addHostCommand,
  serve: async () => (await import('./serve')).addServeCommand,
};

/** The commands that these words may mean: all of them for help, for a slip of the pen, or after an option's value. */
function commandsIn(words: readonly string[]): readonly string[] {
  if (words.length === 1 && words[0] === '--version') return [];
  const [first = ''] = words;
  return Object.hasOwn(COMMANDS, first) ? [first] : Object.keys(COMMANDS);
}

/**
 * All of `sluice`: what runs, what its help says, and what the reference in docs/ is made from.
 * @param words of the command line, of which only the commands that they may mean are added; none: all.
 */
export async function createProgram(version: string, words: readonly string[] = []): Promise<Command> {
  const program = new Command('sluice')
    .description('Stream neural networks from SSD under a memory budget.')
    .version(version)
    .option('--json', 'print exactly one JSON document on stdout')
    .option('--data-dir <dir>', 'where models are kept (default: SLUICE_DATA_DIR, or the user data folder)')
    .configureOutput({ outputError: () => undefined })
    .exitOverride();
  for (const name of commandsIn(words)) (await COMMANDS[name]?.())?.(program);
  inherit(program);
  return program;
}

/** Subcommands made by `.command()` take over settings made before them only; this makes it all of them. */
function inherit(command: Command): void {
  for (const child of command.commands) inherit(child.copyInheritedSettings(command));
}
