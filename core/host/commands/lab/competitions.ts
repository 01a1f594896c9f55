import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

import type { Command } from 'commander';
import { z } from 'zod';

import { SluiceError } from '../../../contract';
import type { LabConnection } from '../../lab/connection/lab-connection';
import type { LabApi } from '../../lab/connection/lab-api';
import { runSchema } from '../../lab/shown-run';
import type { CommandContext, Outcome } from '../context';
import { EXIT } from '../exit-codes';
import {
  boardSchema,
  boardTable,
  competitionSchema,
  competitionTable,
  competitionText,
  submissionSchema,
  submissionTable,
  submissionText,
  type ShownSubmission,
} from './competition-text';
import { onLab } from './on-lab';

interface SubmitOptions {
  readonly to: string;
  readonly checkpoint?: string;
  readonly dryRun?: boolean;
  readonly wait?: boolean;
}

const POLL_MS = 500;
const historySchema = z.object({ submissions: z.array(submissionSchema) });

/** `sluice lab submit`, `board` and `competition ...`. */
export function addLabCompetitionCommands(lab: Command): void {
  lab
    .command('submit')
    .argument('<run>', 'user/dataset/N, or a run id')
    .requiredOption('--to <competition>', 'the competition it enters')
    .description("have a run's program predict the test part of a competition, and score it")
    .option('--checkpoint <artifact>', 'default: the newest of its artifacts below checkpoints/')
    .option('--dry-run', 'on the first 10 rows; not ranked, and not counted')
    .option('--wait', 'until it is scored')
    .action((run: string, options: SubmitOptions, command: Command) =>
      onLab(command, (connection, context) => submit(context, connection, run, options)),
    );
  lab
    .command('board')
    .argument('<competition>')
    .description('the best score of each user, the best first')
    .action((name: string, _options, command: Command) =>
      onLab(command, async ({ api }, context) => {
        const board = await api.get(`${pathOf(name)}/board`, boardSchema, context.signal);
        return { json: board, text: boardTable(board) };
      }),
    );
  addCompetitionCommands(lab.command('competition').description('hold competitions, and look at them'));
}

function addCompetitionCommands(competition: Command): void {
  competition
    .command('create')
    .argument('<file>', 'JSON: name, dataset, hiddenPath, evaluator, ...')
    .description('hold a competition with a dataset of yours that has a hidden part')
    .action((file: string, _options, command: Command) =>
      onLab(command, async ({ api }, context) => {
        const definition = await readJson(file);
        const made = await api.send('POST', 'competitions', definition, competitionSchema, context.signal);
        return { json: made, text: competitionText(made) };
      }),
    );
  competition
    .command('list')
    .description('the newest first')
    .action((_options, command: Command) =>
      onLab(command, async ({ api }, context) => {
        const schema = z.object({ competitions: z.array(competitionSchema) });
        const found = await api.get('competitions', schema, context.signal);
        return { json: found, text: competitionTable(found.competitions) };
      }),
    );
  competition
    .command('show')
    .argument('<name>')
    .description('what it is about, and how many submissions you have left today')
    .action((name: string, _options, command: Command) =>
      onLab(command, async ({ api }, context) => {
        const found = await api.get(pathOf(name), competitionSchema, context.signal);
        return { json: found, text: competitionText(found) };
      }),
    );
  competition
    .command('history')
    .argument('<name>')
    .description('what you submitted; nobody else sees it')
    .action((name: string, _options, command: Command) =>
      onLab(command, async ({ api }, context) => {
        const found = await api.get(`${pathOf(name)}/submissions`, historySchema, context.signal);
        return { json: found, text: submissionTable(found.submissions) };
      }),
    );
}

async function submit(
  context: CommandContext,
  { api, isOwn }: LabConnection,
  run: string,
  { to, checkpoint, dryRun = false, wait = false }: SubmitOptions,
): Promise<Outcome> {
  const { runId } = await api.get(`runs/${encodeURIComponent(run)}`, runSchema, context.signal);
  const body = { runId, isDryRun: dryRun, ...(checkpoint !== undefined && { checkpoint }) };
  const taken = await api.send('POST', `${pathOf(to)}/submissions`, body, submissionSchema, context.signal);
  // The lab ends with the command when nobody else serves it: then there is nobody to go on with it.
  if (!wait && !isOwn) return { json: taken, text: submissionText(taken) };
  context.log(submissionText(taken));
  const ended = await untilEnded(api, taken, context.signal);
  return {
    json: ended,
    text: submissionText(ended),
    ...(ended.state === 'failed' && { exitCode: EXIT.failed }),
  };
}

async function untilEnded(
  api: LabApi,
  { id, competition }: ShownSubmission,
  signal: AbortSignal,
): Promise<ShownSubmission> {
  for (;;) {
    const { submissions } = await api.get(`${pathOf(competition)}/submissions`, historySchema, signal);
    const found = submissions.find((one) => one.id === id);
    if (found?.endedMs !== undefined) return found;
    await delay(POLL_MS, undefined, { signal }).catch(() => {
      throw new SluiceError(
        'cancelled',
        `Submission ${id} goes on: sluice lab competition history ${competition}`,
      );
    });
  }
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as unknown;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SluiceError(
      'bad-input',
      `${file}: expected a competition in JSON: ${reason}.`,
      { file },
      { cause },
    );
  }
}

function pathOf(name: string): string {
  return `competitions/${encodeURIComponent(name)}`;
}
