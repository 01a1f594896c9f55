import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';

import { formatBytes } from '../../base';
import { SluiceError } from '../../contract';
import type { FleetBox, FleetPush, FleetPushBox } from '../../contract';
import type { FleetService } from '../fleet/start-fleet';
import { tokenOf } from '../server/listen-options';
import { execute, onCancel } from './context';
import type { CommandContext, Outcome } from './context';
import { EXIT } from './exit-codes';
import { listOf } from './option-values';
import { showProgress } from './progress';
import { formatMs, table } from './table';

interface AddOptions {
  readonly name?: string;
  readonly tokenFile?: string;
  readonly fingerprint?: string;
}

interface PushOptions {
  readonly to?: readonly string[];
  readonly keepSource: boolean;
}

/** A box that is there has answered by then, and told its figures. */
const LOOK_FOR_MS = 15_000;
const LOOK_EVERY_MS = 100;

/** `sluice fleet ...`: other machines that run `sluice host`. */
export function addFleetCommands(program: Command): void {
  const fleet = program.command('fleet').description('other machines that run "sluice host"');
  fleet
    .command('list')
    .description('the boxes that are attached, without connecting to them')
    .action((_options, command: Command) => execute(command, listBoxes));
  fleet
    .command('status')
    .description('connect to all and show one overview; exit code 1 if one is not online')
    .action((_options, command: Command) => execute(command, status));
  fleet
    .command('add')
    .argument('<url>', 'as "sluice host" prints it')
    .description('attach a box')
    .option('--name <name>', 'what to call it (default: the host of the address)')
    .option(
      '--token-file <file>',
      'file with its token, to try it now; later commands take it from SLUICE_FLEET_TOKENS_FILE',
    )
    .option('--fingerprint <sha256>', 'of a certificate that no authority signed')
    .action((url: string, options: AddOptions, command: Command) =>
      execute(command, (context) => addBox(context, url, options)),
    );
  fleet
    .command('remove')
    .argument('<box>', 'by name')
    .description('attach a box no longer')
    .action((box: string, _options, command: Command) =>
      execute(command, (context) => removeBox(context, box)),
    );
  fleet
    .command('push')
    .argument('<model>')
    .description('send a model of this library to boxes and import it there')
    .requiredOption('--to <boxes>', 'names by commas, or "all"', boxesOf)
    .option(
      '--no-keep-source',
      "a network's files are not kept on the boxes, which saves their disk about half; they can't push it on then",
    )
    .action((model: string, options: PushOptions, command: Command) =>
      execute(command, (context) => push(context, model, options)),
    );
}

function boxesOf(text: string): readonly string[] {
  const names = listOf(text);
  if (names.length > 0) return names;
  throw new InvalidArgumentError('Expected names of boxes.');
}

async function listBoxes(context: CommandContext): Promise<Outcome> {
  const { boxes } = await serviceOf(context);
  const known = boxes.list().map(({ id, name, url }) => ({ id, name, url }));
  const text = table<(typeof known)[number]>(
    [
      { title: 'box', text: ({ name }) => name },
      { title: 'address', text: ({ url }) => url },
    ],
    known,
  );
  return { json: known, text: known.length === 0 ? EMPTY : text };
}

const EMPTY = 'No boxes. Attach one: sluice fleet add https://BOX:8787 --token-file FILE';

async function status(context: CommandContext): Promise<Outcome> {
  const { boxes } = await serviceOf(context);
  const endWatch = boxes.watch();
  const isSettled = ({ state, figures }: FleetBox): boolean =>
    state === 'online' ? (figures?.memUsedBytes ?? NaN) > 0 : state !== 'connecting';
  const views = await lookUntil(
    context,
    () => boxes.list(),
    (list) => list.every(isSettled),
  );
  endWatch();
  return {
    json: views,
    text: views.length === 0 ? EMPTY : overview(views),
    exitCode: views.every(({ state }) => state === 'online') ? EXIT.done : EXIT.failed,
  };
}

async function addBox(
  context: CommandContext,
  url: string,
  { name, tokenFile, fingerprint }: AddOptions,
): Promise<Outcome> {
  const { boxes } = await serviceOf(context);
  const token = tokenFile === undefined ? undefined : await tokenOf(tokenFile);
  const { id } = boxes.add({
    url,
    ...(name !== undefined && { name }),
    ...(token !== undefined && { token }),
    ...(fingerprint !== undefined && { certificateFingerprint: fingerprint }),
  });
  const [view] = await lookUntil(
    context,
    () => boxes.list().filter((each) => each.id === id),
    ([each]) => each?.state !== 'connecting',
  );
  if (!view) throw new SluiceError('not-found', 'The box was removed meanwhile.', { box: id });
  const why = view.reason === undefined ? '' : `: ${view.reason}`;
  const again = view.state === 'refused' ? againHint(view.name) : '';
  const text = `Attached ${view.name}; it is ${view.state}${why}\n${again}${TOKENS_HINT}`;
  return { json: view, text };
}

const TOKENS_FILE_HINT =
  'Commands read tokens from the file that SLUICE_FLEET_TOKENS_FILE names: {"name of the box": "token"}.';
const TOKENS_HINT = `Its token was not written down. ${TOKENS_FILE_HINT} The window asks for it and keeps it in the keychain.`;

function againHint(name: string): string {
  return `To attach it anew, "sluice fleet remove ${name}", then add it with the right --fingerprint and --token-file.\n`;
}

async function removeBox(context: CommandContext, name: string): Promise<Outcome> {
  const { boxes } = await serviceOf(context);
  const { id } = named(boxes.list(), name);
  boxes.remove(id);
  return { json: { removed: name, id }, text: `Removed ${name}.` };
}

async function push(
  context: CommandContext,
  model: string,
  { to: names = [], keepSource }: PushOptions,
): Promise<Outcome | undefined> {
  const { boxes, pushes } = await serviceOf(context);
  const { bus } = await context.services();
  const views = boxes.list();
  const wanted = names.length === 1 && names[0] === 'all' ? views : names.map((name) => named(views, name));
  if (wanted.length === 0) throw new SluiceError('bad-input', `fleet push: there are no boxes. ${EMPTY}`);
  await requireAdmitted(context, boxes, wanted);
  const nameOf = new Map(views.map(({ id, name }) => [id, name]));
  const lines = new Map(wanted.map(({ id, name }) => [id, showProgress(name, process.stderr)]));
  const unlisten = bus.subscribe((message) => {
    if (message.event !== 'fleetPush') return;
    for (const { box, state, sentBytes, totalBytes } of message.payload.boxes)
      lines.get(box)?.show(state, sentBytes, state === 'sending' ? totalBytes : 0);
  });
  const started = await pushes.start(
    model,
    wanted.map(({ id }) => id),
    keepSource,
  );
  const stop = onCancel(context.signal, () => pushes.cancel(started.id));
  const ended = await pushes.ended(started.id).finally(() => {
    stop();
    unlisten();
    for (const line of lines.values()) line.end();
  });
  if (context.signal.aborted) throw new SluiceError('cancelled', `The push of ${model} was cancelled.`);
  const isDone = ended.boxes.every(({ state }) => state === 'done');
  return { json: ended, text: pushText(ended, nameOf), exitCode: isDone ? EXIT.done : EXIT.failed };
}

/** A box that is away is waited for; one that refuses us would be for ever. @throws SluiceError `unavailable`. */
async function requireAdmitted(
  context: CommandContext,
  boxes: FleetService['boxes'],
  wanted: readonly FleetBox[],
): Promise<void> {
  const ids = new Set(wanted.map(({ id }) => id));
  const looked = await lookUntil(
    context,
    () => boxes.list().filter(({ id }) => ids.has(id)),
    (list) => list.every(({ state }) => state !== 'connecting'),
  );
  const [refused] = looked.filter(({ state }) => state === 'refused');
  if (!refused) return;
  const { name, reason = 'It refuses this machine.' } = refused;
  throw new SluiceError('unavailable', `fleet push: ${name} is refused: ${reason} ${TOKENS_FILE_HINT}`, {
    box: name,
  });
}

function pushText({ boxes }: FleetPush, nameOf: ReadonlyMap<string, string>): string {
  return table<FleetPushBox>(
    [
      { title: 'box', text: ({ box }) => nameOf.get(box) ?? box },
      { title: 'state', text: ({ state }) => state },
      {
        title: 'sent',
        text: ({ state, sentBytes }) =>
          state === 'done' && sentBytes === 0 ? 'had it' : formatBytes(sentBytes),
        align: 'right',
      },
      { title: 'why', text: ({ error }) => error?.message ?? '' },
    ],
    boxes,
  );
}

function overview(views: readonly FleetBox[]): string {
  const figure = (show: (figures: NonNullable<FleetBox['figures']>) => string) => (box: FleetBox) =>
    box.figures ? show(box.figures) : '-';
  const rows = table<FleetBox>(
    [
      { title: 'box', text: ({ name }) => name },
      { title: 'state', text: ({ state }) => state },
      {
        title: 'round trip',
        text: ({ roundTripMs }) => (roundTripMs === undefined ? '-' : formatMs(roundTripMs)),
        align: 'right',
      },
      { title: 'cpu', text: figure(({ cpuPct }) => percent(cpuPct)), align: 'right' },
      {
        title: 'memory',
        text: figure(({ memUsedBytes, memTotalBytes }) => share(memUsedBytes, memTotalBytes)),
        align: 'right',
      },
      {
        title: 'budget',
        text: figure(({ budgetUsedBytes, budgetLimitBytes }) => share(budgetUsedBytes, budgetLimitBytes)),
        align: 'right',
      },
      { title: 'models', text: figure(({ models }) => String(models.length)), align: 'right' },
      { title: 'runs', text: figure(({ runsGoing }) => String(runsGoing)), align: 'right' },
      { title: 'jobs', text: figure(({ jobsGoing }) => String(jobsGoing)), align: 'right' },
      { title: 'alerts', text: figure(({ alerts }) => String(alerts.length)), align: 'right' },
    ],
    views,
  );
  const faults = views.flatMap(({ name, reason, figures }) => [
    ...(reason === undefined ? [] : [`${name}: ${reason}`]),
    ...(figures?.alerts ?? []).map((alert) => `${name}: ${alert}`),
  ]);
  const hints = views.some(({ state }) => state === 'refused') ? [TOKENS_FILE_HINT] : [];
  return [rows, ...faults, ...hints].join('\n');
}

function percent(value: number): string {
  return Number.isNaN(value) ? '-' : `${value.toFixed(0)}%`;
}

/** A limit of 0 is none. */
function share(used: number, total: number): string {
  if (Number.isNaN(used)) return '-';
  return total > 0 ? `${formatBytes(used)} of ${formatBytes(total)}` : formatBytes(used);
}

function named(boxes: readonly FleetBox[], name: string): FleetBox {
  const found = boxes.find((box) => box.name === name);
  if (found) return found;
  const names = boxes.map((box) => box.name).join(', ') || 'none';
  throw new SluiceError('not-found', `There is no box called "${name}"; attached are: ${names}.`, { name });
}

async function serviceOf({ services }: CommandContext): Promise<FleetService> {
  return (await services()).fleet();
}

/** Looks again until it is as it should be, or long enough. @throws SluiceError `cancelled`. */
async function lookUntil<T>(
  { signal }: CommandContext,
  look: () => readonly T[],
  isSettled: (found: readonly T[]) => boolean,
): Promise<readonly T[]> {
  for (let waitedMs = 0; ; waitedMs += LOOK_EVERY_MS) {
    const found = look();
    if (isSettled(found) || waitedMs >= LOOK_FOR_MS) return found;
    if (signal.aborted) throw new SluiceError('cancelled', 'Looking at the fleet was cancelled.');
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
