import { resolve } from 'node:path';

import type { Command } from 'commander';
import { z } from 'zod';

import { formatBytes } from '../../../base';
import { tokenOf } from '../../server/listen-options';
import type { CommandContext, Outcome } from '../context';
import { EXIT } from '../exit-codes';
import { listOf } from '../option-values';
import { table } from '../table';
import type { LabConnection } from '../../lab/connection/lab-connection';
import { onLab } from './on-lab';

const refusedSchema = z.array(z.object({ what: z.string(), reason: z.string() }));
const pendingSchema = z.object({
  runs: z.number(),
  points: z.number(),
  files: z.number(),
  fileBytes: z.number(),
});
const statusSchema = z.looseObject({
  name: z.string(),
  url: z.string(),
  experiments: z.array(z.string()).optional(),
  kind: z.enum(['lab', 'mlflow']).optional(),
  hasToken: z.boolean(),
  state: z.enum(['idle', 'syncing', 'waiting']),
  pending: pendingSchema,
  lastSuccessMs: z.number().optional(),
  lastErrorMs: z.number().optional(),
  lastError: z.string().optional(),
  nextTryMs: z.number().optional(),
  refused: refusedSchema,
});
const sentSchema = z.looseObject({
  runs: z.number(),
  points: z.number(),
  files: z.number(),
  fileBytes: z.number(),
  modelVersions: z.number(),
  refused: refusedSchema,
});
const passSchema = z.object({ sent: sentSchema, status: statusSchema });
type RemoteStatus = z.infer<typeof statusSchema>;
type Pass = z.infer<typeof passSchema>;

const NO_REMOTE = 'There is no remote: "sluice lab sync add" adds one.';
const KINDS = { lab: 'a lab', mlflow: 'MLflow' } as const;

interface AddOptions {
  readonly tokenFile?: string;
  readonly experiments?: readonly string[];
}

/** `sluice lab sync ...`. */
export function addLabSyncCommands(lab: Command): void {
  const sync = lab
    .command('sync')
    .description('forward what is logged here to another lab or an MLflow server');
  sync
    .command('add')
    .argument('<name>', 'what to call it here')
    .argument('<url>', 'http://HOST:PORT of a lab or an MLflow server')
    .description('add a remote; "sluice lab serve" forwards to it from then on, and when a lost link is back')
    .option('--token-file <file>', 'file with the bearer token it takes; the lab reads it there each time')
    .option('--experiments <names>', 'only these, separated by commas', listOf)
    .action((name: string, url: string, options: AddOptions, command: Command) =>
      onLab(command, (connection, context) => add(context, connection, name, url, options)),
    );
  sync
    .command('list')
    .description('remotes, what they do not have yet, and what went wrong last')
    .action((_options, command: Command) =>
      onLab(command, async ({ api }, context) => {
        const { remotes } = await api.get('sync/remotes', remotesSchema, context.signal);
        return { json: { remotes }, text: remotesText(remotes) };
      }),
    );
  sync
    .command('now')
    .argument('[name]', 'default: all remotes')
    .description('forward all that is here, and wait for it')
    .action((name: string | undefined, _options, command: Command) =>
      onLab(command, (connection, context) => now(context, connection, name)),
    );
  sync
    .command('remove')
    .argument('<name>')
    .description('forward no more; what the remote has stays there')
    .action((name: string, _options, command: Command) =>
      onLab(command, async ({ api }, context) => {
        await api.send('DELETE', pathOf(name), undefined, z.object({}), context.signal);
        return { json: { removed: name }, text: `Nothing is forwarded to ${name} any more.` };
      }),
    );
}

const remotesSchema = z.object({ remotes: z.array(statusSchema) });

async function add(
  { signal }: CommandContext,
  { api, isOwn }: LabConnection,
  name: string,
  url: string,
  { tokenFile, experiments }: AddOptions,
): Promise<Outcome> {
  const token = tokenFile === undefined ? {} : await tokenFor(tokenFile);
  const body = { name, url, ...token, ...(experiments && { experiments }) };
  const status = await api.send('POST', 'sync/remotes', body, statusSchema, signal);
  const when = isOwn
    ? '"sluice lab serve" forwards to it, or "sluice lab sync now" once'
    : 'The lab forwards to it';
  const reached = status.kind === undefined ? ` It could not be reached yet: ${status.lastError}` : '';
  return { json: status, text: `${remotesText([status])}\n${when}.${reached}` };
}

/** A lab on this machine is told where the token stands; one elsewhere is given it. */
async function tokenFor(tokenFile: string): Promise<{ token: string } | { tokenFile: string }> {
  const token = await tokenOf(tokenFile);
  return (process.env['SLUICE_LAB_URL'] ?? '') === '' ? { tokenFile: resolve(tokenFile) } : { token };
}

async function now(
  { signal }: CommandContext,
  { api }: LabConnection,
  name: string | undefined,
): Promise<Outcome> {
  const { remotes } = await api.get('sync/remotes', remotesSchema, signal);
  const names = name === undefined ? remotes.map((remote) => remote.name) : [name];
  const passes: Pass[] = [];
  for (const one of names) passes.push(await api.send('POST', `${pathOf(one)}/now`, {}, passSchema, signal));
  const isRefused = passes.some(({ sent }) => sent.refused.length > 0);
  return {
    json: { remotes: passes.map(({ sent, status }) => ({ name: status.name, sent, status })) },
    text: passes.length === 0 ? NO_REMOTE : passes.map(passText).join('\n'),
    exitCode: isRefused ? EXIT.failed : EXIT.done,
  };
}

function pathOf(name: string): string {
  return `sync/remotes/${encodeURIComponent(name)}`;
}

function passText({ sent, status }: Pass): string {
  const { runs, points, files, fileBytes, modelVersions, refused } = sent;
  const what = [
    `${points} points of ${runs} runs`,
    `${files} files (${formatBytes(fileBytes)})`,
    `${modelVersions} model versions`,
  ];
  const refusals = refused.map(({ what: refusedWhat, reason }) => `  refused: ${refusedWhat}: ${reason}`);
  return [`${status.name} got ${what.join(', ')}.`, ...refusals].join('\n');
}

function remotesText(remotes: readonly RemoteStatus[]): string {
  if (remotes.length === 0) return NO_REMOTE;
  return table<RemoteStatus>(
    [
      { title: 'remote', text: ({ name }) => name },
      { title: 'URL', text: ({ url }) => url },
      { title: 'is', text: ({ kind }) => (kind === undefined ? 'not reached yet' : KINDS[kind]) },
      { title: 'of', text: ({ experiments }) => experiments?.join(', ') ?? 'all experiments' },
      { title: 'does not have', text: pendingText },
      { title: 'last', text: lastText },
    ],
    remotes,
  );
}

function pendingText({ pending: { runs, points, files, fileBytes } }: RemoteStatus): string {
  const parts = [
    ...(runs > 0 ? [`changes of ${runs} runs`] : []),
    ...(points > 0 ? [`${points} points`] : []),
    ...(files > 0 ? [`${files} files, ${formatBytes(fileBytes)}`] : []),
  ];
  return parts.length === 0 ? 'nothing' : parts.join(', ');
}

function lastText({ lastSuccessMs = 0, lastErrorMs = 0, lastError }: RemoteStatus): string {
  if (lastErrorMs > lastSuccessMs) return `${timeText(lastErrorMs)}: ${lastError}`;
  return lastSuccessMs === 0 ? '' : `${timeText(lastSuccessMs)}: all sent`;
}

function timeText(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
