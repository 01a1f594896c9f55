#!/usr/bin/env node
import { CommanderError } from 'commander';
import type { Command } from 'commander';

import { SluiceError } from '../contract';
import { appVersion, findAppRoot } from './app-root';
import { reportError } from './commands/context';
import { EXIT } from './commands/exit-codes';
import { createProgram } from './commands/program';

/**
 * The `sluice` command. Exit codes: 0 done; 1 failed; 2 bad usage or bad input (`bad-input`, `bad-model`, `not-found`,
 * `budget-too-small`); 130 cancelled; of `sluice host` alone, 78: a newer Sluice wrote the data. With `--json` exactly
 * one document goes to stdout, errors included; everything else goes to stderr.
 */
async function main(argv: readonly string[]): Promise<void> {
  let program: Command | undefined;
  try {
    program = await createProgram(appVersion(findAppRoot(__dirname)), argv.slice(2));
    await program.parseAsync(argv);
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return; // help or version was printed
    const json = argv.includes('--json');
    if (thrown instanceof CommanderError) {
      // A command that has only subcommands has printed its help, to stderr, which says it all.
      if (thrown.code === HELP_INSTEAD && !json) process.exitCode = EXIT.badInput;
      else reportError(usageError(thrown, commandOf(program, argv)), json);
    } else reportError(SluiceError.from(thrown), json);
  }
}

const HELP_INSTEAD = 'commander.help';

/** The command that was meant, as it is typed: `sluice fleet add`. */
function commandOf(program: Command | undefined, argv: readonly string[]): string {
  const words = ['sluice'];
  let at = program;
  for (const word of argv.slice(2)) {
    const next = at?.commands.find((command) => command.name() === word);
    if (next === undefined) continue;
    words.push(word);
    at = next;
  }
  return words.join(' ');
}

/** Commander's `error: unknown command 'runn'\n(Did you mean run?)` as a sentence. */
function usageError({ code, message }: CommanderError, command: string): SluiceError {
  const said =
    code === HELP_INSTEAD
      ? 'a command is missing'
      : message.replace(/^error: /, '').replace(/\s*\n\(?(.+?)\)?$/s, '. $1');
  return new SluiceError(
    'bad-input',
    `${said.replace(/[.]?$/, /[?]$/.test(said) ? '' : '.')} See "${command} --help".`,
  );
}

// Whoever reads the output, as `head` does, has had enough: nothing went wrong.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  throw error;
});

void main(process.argv);
