import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Command } from 'commander';
import { z } from 'zod';

import { SluiceError } from '../../../contract';
import type { LabConnection } from '../../lab/connection/lab-connection';
import type { CommandContext, Outcome } from '../context';
import { EXIT } from '../exit-codes';
import { planOf, planOptions, refuseDetached, type LaunchOptions } from './runs';
import {
  progressText,
  searchListSchema,
  searchSchema,
  searchTable,
  searchText,
  type ShownSearch,
} from './search-text';
import { positiveOf, wholeOf } from '../option-values';
import { onLab } from './on-lab';

interface SearchOptions extends LaunchOptions {
  readonly name?: string;
  readonly space: string;
  readonly algorithm: string;
  readonly option?: readonly string[];
  readonly metric: string;
  readonly direction: string;
  readonly maxResource: number;
  readonly trials?: number;
  readonly budget?: number;
  readonly parallel: number;
  readonly seed: number;
  readonly first?: readonly string[];
  readonly resourceArg: string;
  readonly keepCheckpoints?: boolean;
}

const OVER: ReadonlySet<string> = new Set(['done', 'stopped', 'failed', 'interrupted']);
/** How often a search that is followed is looked at. */
const FOLLOW_MS = 1000;

/** `sluice lab automl ...`. */
export function addLabSearchCommands(lab: Command): void {
  const automl = lab.command('automl').description('hyper-parameter searches, their trials runs of the lab');
  const run = automl
    .command('run')
    .argument('[args...]', 'arguments of every trial, behind --')
    .description("search a program's parameters: trials get them as --NAME VALUE, and log the metric by step")
    .requiredOption('-e, --entry <file>', 'the program within the folder')
    .requiredOption(
      '--space <file>',
      'JSON: {"lr": {"type": "float", "min": 1e-4, "max": 0.1, "scale": "log"}}',
    )
    .requiredOption('--metric <name>', 'what trials log to MLflow; its step is the resource used so far')
    .requiredOption('--max-resource <n>', 'what one trial may use: epochs, steps, ...', positiveOf)
    .option('--direction <max|min>', 'which is better', 'max')
    .option('--algorithm <name>', 'random, hyperband, asha or pbt', 'asha')
    .option('--option <NAME=VALUE...>', 'of the algorithm, like eta=4 or population=8')
    .option('--trials <n>', 'at most so many', wholeOf)
    .option('--budget <n>', 'resource of all trials together (default: trials x max-resource)', positiveOf)
    .option('--parallel <n>', 'trials in training at a time', wholeOf, 1)
    .option('--seed <n>', 'the same one makes the same choices', wholeOf, 0)
    .option('--first <json...>', 'parameters to begin with, like {"lr": 0.01}; the rest is drawn')
    .option('--resource-arg <name>', 'trials get --NAME N: train until N; "" for none', 'resource')
    .option('--keep-checkpoints', 'also of trials that nobody goes on from')
    .option('-d, --dataset <name>', 'NAME or NAME@VERSION; programs find it at $SLUICE_DATASET')
    .option('--folder <dir>', 'what is packed, but for what .sluiceignore names', '.')
    .option('--name <name>', 'of the search (default: search-N)');
  planOptions(run).action((args: string[], options: SearchOptions, command: Command) =>
    onLab(command, (connection, context) => begin(context, connection, options, args)),
  );
  addLookCommands(automl);
  addChangeCommands(automl);
}

function addLookCommands(automl: Command): void {
  automl
    .command('list')
    .description('searches, the newest first')
    .action((_options, command: Command) =>
      onLab(command, async ({ api }, context) => {
        const { searches } = await api.get('searches', searchListSchema, context.signal);
        return { json: { searches }, text: searchTable(searches) };
      }),
    );
  automl
    .command('show')
    .argument('<search>')
    .description('a search with its trials and the best of them')
    .action((search: string, _options, command: Command) =>
      onLab(command, async ({ api }, context) => {
        const found = await api.get(pathOf(search), searchSchema, context.signal);
        return { json: found, text: searchText(found) };
      }),
    );
}

function addChangeCommands(automl: Command): void {
  automl
    .command('stop')
    .argument('<search>')
    .description('end a search and its trials for good')
    .action((search: string, _options, command: Command) =>
      onLab(command, async ({ api }, context) => {
        const stopped = await api.send('POST', `${pathOf(search)}/stop`, {}, searchSchema, context.signal);
        return { json: stopped, text: searchText(stopped) };
      }),
    );
  automl
    .command('resume')
    .argument('<search>')
    .description('go on with a search that was interrupted')
    .option('--detach', "return when it goes on; needs the lab's server")
    .action((search: string, options: { detach?: boolean }, command: Command) =>
      onLab(command, async (connection, context) => {
        refuseDetached(connection, options);
        const path = `${pathOf(search)}/resume`;
        const resumed = await connection.api.send('POST', path, {}, searchSchema, context.signal);
        return follow(context, connection, resumed, options);
      }),
    );
  automl
    .command('rm')
    .argument('<search>')
    .description('forget a search that is over; the runs of its trials stay')
    .action((search: string, _options, command: Command) =>
      onLab(command, async ({ api }, context) => {
        await api.send('DELETE', pathOf(search), undefined, z.object({}), context.signal);
        return { json: { removed: search }, text: `Removed ${search}.` };
      }),
    );
}

async function begin(
  context: CommandContext,
  connection: LabConnection,
  options: SearchOptions,
  args: readonly string[],
): Promise<Outcome> {
  refuseDetached(connection, options);
  const { name, resourceArg } = options;
  const body = {
    ...(name !== undefined && { name }),
    search: await settingsOf(options),
    trials: {
      ...planOf(options, args),
      resourceArgument: resourceArg,
      ...(options.keepCheckpoints === true && { keepCheckpoints: true }),
    },
  };
  const search = await connection.api.send('POST', 'searches', body, searchSchema, context.signal);
  return follow(context, connection, search, options);
}

async function settingsOf(options: SearchOptions): Promise<object> {
  const { space, metric, direction, maxResource, trials, parallel, seed, first = [] } = options;
  const budget = options.budget ?? (trials === undefined ? undefined : trials * maxResource);
  if (budget === undefined) {
    throw new SluiceError('bad-input', 'Say how much the search may use: --trials N, --budget N or both.');
  }
  return {
    space: await readJson(space),
    metric: { name: metric, direction },
    algorithm: { name: options.algorithm, ...Object.fromEntries((options.option ?? []).map(optionOf)) },
    maxResource,
    budget,
    ...(trials !== undefined && { maxTrials: trials }),
    parallel,
    seed,
    first: first.map((text) => jsonOf(text, '--first')),
  };
}

async function readJson(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SluiceError('not-found', `--space: can't read ${file}: ${reason}.`, { file }, { cause });
  });
  return jsonOf(text, file);
}

function jsonOf(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SluiceError('bad-input', `${where}: expected JSON, found ${reason}.`, {}, { cause });
  }
}

function optionOf(text: string): readonly [string, unknown] {
  const [, name, value = ''] = /^([A-Za-z]+)=(.+)$/.exec(text) ?? [];
  if (name === undefined) {
    throw new SluiceError('bad-input', `--option: expected NAME=VALUE, found ${JSON.stringify(text)}.`);
  }
  return [name, Number.isNaN(Number(value)) ? value : Number(value)];
}

/** Tells how it goes until it is over. Interrupted, a search whose server is this command is stopped; others go on. */
async function follow(
  context: CommandContext,
  { api, isOwn }: LabConnection,
  search: ShownSearch,
  { detach }: { readonly detach?: boolean },
): Promise<Outcome> {
  const path = pathOf(search.id);
  let now = search;
  if (detach) return { json: now, text: progressText(now) };
  let said = '';
  try {
    for (;;) {
      const text = progressText(now);
      if (text !== said) context.log(text);
      said = text;
      if (OVER.has(now.state)) break;
      await sleep(FOLLOW_MS, undefined, { signal: context.signal });
      now = await api.get(path, searchSchema, context.signal);
    }
  } catch (error) {
    if (!context.signal.aborted) throw error;
    if (isOwn) await api.send('POST', `${path}/stop`, {}, searchSchema);
    throw new SluiceError(
      'cancelled',
      isOwn
        ? `${search.id} was stopped, with its trials. With "sluice lab serve" searches outlive the command.`
        : `${search.id} goes on. End it with: sluice lab automl stop ${search.id}`,
    );
  }
  return { json: now, text: searchText(now), ...(now.state !== 'done' && { exitCode: EXIT.failed }) };
}

function pathOf(search: string): string {
  return `searches/${encodeURIComponent(search)}`;
}
