import { resolve } from 'node:path';

import type { Command } from 'commander';
import { z } from 'zod';

import { printable, SluiceError } from '../../../contract';
import type { LabConnection } from '../../lab/connection/lab-connection';
import { runSchema, type ShownRun } from '../../lab/shown-run';
import { splitArguments } from '../../lab/split-arguments';
import type { CommandContext, Outcome } from '../context';
import { EXIT } from '../exit-codes';
import { differenceTable, runTable, stateText } from './run-text';
import { bytesOf, positiveOf, wholeOf } from '../option-values';
import { onLab } from './on-lab';

export interface PlanOptions {
  readonly entry?: string;
  readonly args?: string;
  readonly env?: readonly string[];
  readonly cpus?: number;
  readonly gpus?: number;
  readonly memory?: number;
  readonly image?: string;
  readonly engine?: string;
  readonly priority?: number;
  readonly limit?: number;
  readonly detach?: boolean;
}

/** What a run, and each trial of a search, is launched with. */
export interface LaunchOptions extends PlanOptions {
  readonly dataset?: string;
  readonly entry: string;
  readonly folder: string;
}

const DEFAULT_MEMORY_BYTES = 2 ** 30;
const runsSchema = z.object({ runs: z.array(runSchema) });
const differencesSchema = z.object({
  differences: z.array(
    z.object({ what: z.string(), from: z.string().optional(), to: z.string().optional() }),
  ),
});

export function addLabRunCommands(lab: Command): void {
  planOptions(lab.command('run').argument('[args...]', "the program's arguments, behind --"))
    .description('pack this folder, and run a program of it as user/dataset/N')
    .option('-d, --dataset <name>', 'NAME or NAME@VERSION; the program finds it at $SLUICE_DATASET')
    .requiredOption('-e, --entry <file>', 'the program within the folder: .py, .js, .sh, or an executable')
    .option('--folder <dir>', 'what is packed, but for what .sluiceignore names', '.')
    .action((args: string[], options: LaunchOptions, command: Command) =>
      onLab(command, (connection, context) => launch(context, connection, options, args)),
    );
  planOptions(lab.command('fork').argument('<run>').argument('[args...]', 'behind --; default: as before'))
    .description("a new run with a run's code and data, from a checkpoint of it ($SLUICE_CHECKPOINT)")
    .option('-e, --entry <file>', 'another program of the same folder')
    .option('--checkpoint <artifact>', 'default: the newest of its artifacts below checkpoints/')
    .action((run: string, args: string[], options: PlanOptions & { checkpoint?: string }, command: Command) =>
      onLab(command, (connection, context) => fork(context, connection, run, options, args)),
    );
  addLookCommands(lab);
  addChangeCommands(lab);
}

export function planOptions(command: Command): Command {
  return command
    .option('--args <text>', 'arguments of the program as one text, quoted as for a shell')
    .option('--env <NAME=VALUE...>', 'environment of the program')
    .option('--cpus <n>', 'processors (default: 1)', positiveOf)
    .option('--gpus <n>', 'accelerators (default: 0)', wholeOf)
    .option('--memory <size>', 'it is ended beyond this (default: 1GiB)', bytesOf)
    .option('--image <name>', 'container image, for engines that have containers')
    .option('--engine <name>', 'local, slurm or ray, as the server has them (default: local)')
    .option('--priority <n>', '-100 to 100, higher first (default: 0)', Number)
    .option('--limit <minutes>', 'it is stopped after running this long', positiveOf)
    .option('--detach', "return when it is queued; needs the lab's server");
}

function addLookCommands(lab: Command): void {
  lab
    .command('ps')
    .description('runs that have not ended')
    .option('--all', 'and those that have, the newest first')
    .option('--user <name>', 'of one user')
    .option('--limit <n>', 'at most so many', positiveOf, 100)
    .action((options: { all?: boolean; user?: string; limit: number }, command: Command) =>
      onLab(command, async ({ api }, context) => {
        const query = new URLSearchParams({
          limit: String(options.limit),
          open: String(options.all !== true),
          ...(options.user !== undefined && { user: options.user }),
        });
        const { runs } = await api.get(`runs?${query.toString()}`, runsSchema, context.signal);
        return { json: { runs }, text: runTable(runs) };
      }),
    );
  lab
    .command('logs')
    .argument('<run>', 'user/dataset/N, or a run id')
    .description('what a run wrote')
    .option('-f, --follow', 'go on until it has ended')
    .action((run: string, options: { follow?: boolean }, command: Command) =>
      onLab(command, async ({ api }, context) => {
        const parts: Uint8Array[] = [];
        const decoder = new TextDecoder();
        const { stdout } = process;
        for await (const part of api.stream(logPath(run, options.follow === true), context.signal)) {
          if (context.json) parts.push(part);
          else if (!stdout.isTTY) stdout.write(part);
          else stdout.write(printable(decoder.decode(part, { stream: true }), 'colours'));
        }
        return context.json ? { json: { log: Buffer.concat(parts).toString('utf8') }, text: '' } : undefined;
      }),
    );
  lab
    .command('diff')
    .argument('<from>')
    .argument('<to>')
    .description('what two runs do not have in common: arguments, data, environment, code')
    .action((from: string, to: string, _options, command: Command) =>
      onLab(command, async ({ api }, context) => {
        const query = new URLSearchParams({ from, to });
        const { differences } = await api.get(
          `runs/diff?${query.toString()}`,
          differencesSchema,
          context.signal,
        );
        return { json: { differences }, text: differenceTable(differences) };
      }),
    );
}

function addChangeCommands(lab: Command): void {
  lab
    .command('stop')
    .argument('<run>')
    .description('end a run and all processes it started')
    .option('--grace <seconds>', 'what it gets to end by itself', positiveOf, 10)
    .action((run: string, { grace }: { grace: number }, command: Command) =>
      onLab(command, async ({ api }, context) => {
        const path = `runs/${encodeURIComponent(run)}/stop`;
        const stopped = await api.send('POST', path, { graceMs: grace * 1000 }, runSchema, context.signal);
        return { json: stopped, text: `${stopped.name}: ${stateText(stopped)}` };
      }),
    );
  lab
    .command('resume')
    .argument('<run>')
    .description('run a run that has ended once more, from its newest checkpoint')
    .option('--detach', "return when it is queued; needs the lab's server")
    .action((run: string, options: { detach?: boolean }, command: Command) =>
      onLab(command, async (connection, context) => {
        refuseDetached(connection, options);
        const path = `runs/${encodeURIComponent(run)}/resume`;
        const resumed = await connection.api.send('POST', path, {}, runSchema, context.signal);
        return followRun(context, connection, resumed, options);
      }),
    );
  lab
    .command('rm')
    .argument('<run>')
    .description('remove a run that has ended: its files and code; its record is marked as deleted')
    .action((run: string, _options, command: Command) =>
      onLab(command, async ({ api }, context) => {
        await api.send('DELETE', `runs/${encodeURIComponent(run)}`, undefined, z.object({}), context.signal);
        return { json: { removed: run }, text: `Removed ${run}.` };
      }),
    );
}

async function launch(
  context: CommandContext,
  connection: LabConnection,
  options: LaunchOptions,
  args: readonly string[],
): Promise<Outcome> {
  refuseDetached(connection, options);
  const run = await connection.api.send('POST', 'runs', planOf(options, args), runSchema, context.signal);
  return followRun(context, connection, run, options);
}

async function fork(
  context: CommandContext,
  connection: LabConnection,
  parent: string,
  options: PlanOptions & { readonly checkpoint?: string },
  args: readonly string[],
): Promise<Outcome> {
  refuseDetached(connection, options);
  const { api } = connection;
  const path = `runs/${encodeURIComponent(parent)}`;
  const before = await api.get(path, runSchema, context.signal);
  const given = argumentsOf(options, args);
  const { cpus, gpus, memory, checkpoint } = options;
  const resources = {
    ...before.resources,
    ...(cpus !== undefined && { cpus }),
    ...(gpus !== undefined && { gpus }),
    ...(memory !== undefined && { memoryBytes: memory }),
  };
  const body = {
    ...changesOf(options),
    resources,
    ...(given && { args: given }),
    ...(checkpoint !== undefined && { checkpoint }),
  };
  return followRun(
    context,
    connection,
    await api.send('POST', `${path}/fork`, body, runSchema, context.signal),
    options,
  );
}

/** What options say of a run, but for its arguments and resources. */
/** The request for a run, or for each of a search's trials, as the lab's server takes it. */
export function planOf(options: LaunchOptions, args: readonly string[]): object {
  const { cpus = 1, gpus = 0, memory = DEFAULT_MEMORY_BYTES } = options;
  return {
    environment: {},
    engine: 'local',
    priority: 0,
    ...changesOf(options),
    args: argumentsOf(options, args) ?? [],
    resources: { cpus, gpus, memoryBytes: memory },
    folder: resolve(options.folder),
    ...(options.dataset !== undefined && { dataset: options.dataset }),
  };
}

function changesOf({ entry, env, image, engine, priority, limit }: PlanOptions): object {
  return {
    ...(entry !== undefined && { entry }),
    ...(env && { environment: Object.fromEntries(env.map(variableOf)) }),
    ...(image !== undefined && { image }),
    ...(engine !== undefined && { engine }),
    ...(priority !== undefined && { priority }),
    ...(limit !== undefined && { limitMs: limit * 60_000 }),
  };
}

function argumentsOf({ args: text }: PlanOptions, args: readonly string[]): readonly string[] | undefined {
  if (text === undefined && args.length === 0) return undefined;
  return [...(text === undefined ? [] : splitArguments(text)), ...args];
}

function variableOf(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw new SluiceError('bad-input', `--env: expected NAME=VALUE, found ${JSON.stringify(text)}.`);
}

export function refuseDetached({ isOwn }: LabConnection, { detach }: { readonly detach?: boolean }): void {
  if (!detach || !isOwn) return;
  throw new SluiceError(
    'bad-input',
    '--detach: no server of this lab runs, and the run would lose the one that this command is. Start "sluice lab serve" first.',
  );
}

/** Shows the log until the run has ended. Interrupted, a run whose server is this command is stopped; others go on. */
export async function followRun(
  context: CommandContext,
  { api, isOwn }: LabConnection,
  run: ShownRun,
  { detach }: { readonly detach?: boolean },
): Promise<Outcome> {
  const path = `runs/${encodeURIComponent(run.runId)}`;
  if (detach) return { json: run, text: `${run.name}: ${stateText(run)}` };
  context.log(`${run.name}: ${stateText(run)}`);
  const output = context.json ? process.stderr : process.stdout;
  try {
    for await (const part of api.stream(logPath(run.runId, true), context.signal)) output.write(part);
  } catch (error) {
    if (!context.signal.aborted) throw error;
    if (isOwn) await api.send('POST', `${path}/stop`, {}, runSchema);
    throw new SluiceError(
      'cancelled',
      isOwn
        ? `${run.name} was asked to stop.`
        : `${run.name} goes on. End it with: sluice lab stop ${run.name}`,
    );
  }
  const last = await api.get(path, runSchema);
  return {
    json: last,
    text: `${last.name}: ${stateText(last)}`,
    ...(last.state !== 'succeeded' && { exitCode: EXIT.failed }),
  };
}

function logPath(run: string, isFollowed: boolean): string {
  return `runs/${encodeURIComponent(run)}/log?follow=${isFollowed}`;
}
