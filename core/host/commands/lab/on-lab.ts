import { resolve } from 'node:path';

import type { Command } from 'commander';

import { withLab, type LabConnection, type LabPlace } from '../../lab/connection/lab-connection';
import { execute } from '../context';
import type { CommandContext, Outcome } from '../context';

/** Where the lab is; given before or behind the subcommand. */
export function placeOf(command: Command): LabPlace {
  const { labDir } = command.optsWithGlobals<{ labDir?: string }>();
  return labDir === undefined ? {} : { labDir: resolve(labDir) };
}

/** Runs a command that talks to the lab. */
export function onLab(
  command: Command,
  work: (lab: LabConnection, context: CommandContext) => Promise<Outcome | undefined>,
): Promise<void> {
  return execute(command, (context) => withLab(context, placeOf(command), (lab) => work(lab, context)));
}
