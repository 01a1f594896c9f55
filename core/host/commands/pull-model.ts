import type { Command } from 'commander';

import { formatBytes, type Clock } from '../../base';
import { printable, SluiceError } from '../../contract';
import { systemClock } from '../host-clock';
import { execute, type CommandContext, type Outcome } from './context';
import { languageTable, listed } from './language-models';
import { showProgress } from './progress';
import { TransferMeter } from './transfer-meter';

interface PullOptions {
  readonly revision?: string;
  readonly file?: string;
  readonly name?: string;
  readonly hub?: string;
  readonly tokenEnv?: string;
}

/** Shown where no line can change: at every tenth. */
const STEPS = 10;
const REDRAW_MS = 200;

/** `sluice models pull REPO`. */
export function addPullCommand(models: Command): void {
  models
    .command('pull')
    .argument('<repo>', 'repository of a Hugging Face style hub, as OWNER/NAME')
    .description('download a language model from a hub into the library; broken off, it goes on where it was')
    .option('--revision <name>', 'branch, tag or commit (default: main)')
    .option('--file <path>', 'which GGUF file, when there are several')
    .option('--name <name>', 'name in the library (default: from the file name)')
    .option('--hub <url>', 'address of the hub (default: HF_ENDPOINT, or the public hub)')
    .option('--token-env <variable>', 'environment variable with a token for the hub (default: HF_TOKEN)')
    .action((repo: string, options: PullOptions, command: Command) =>
      execute(command, (context) => pull(context, repo, options)),
    );
}

async function pull(context: CommandContext, repo: string, options: PullOptions): Promise<Outcome> {
  // Other commands need not wait for these to load.
  const { hubEndpoint, PUBLIC_HUB } = await import('../../llm');
  const { pullModel } = await import('../language/library/pull-model');
  const { log, signal, dataDir } = context;
  const { revision, file, name } = options;
  const token = tokenOf(process.env, options);
  const progress = showDownload(process.stderr, systemClock);
  const importing = showProgress(repo, process.stderr);
  const { model, pulled } = await pullModel(dataDir, {
    repo,
    ...(revision !== undefined && { revision }),
    ...(file !== undefined && { file }),
    ...(name !== undefined && { name }),
    hub: {
      endpoint: hubEndpoint(options.hub ?? (process.env['HF_ENDPOINT'] || PUBLIC_HUB)),
      clock: systemClock,
      signal,
      ...(token !== undefined && { token }),
      onWait: ({ message }, waitMs) => log(`${message} Trying again in ${Math.ceil(waitMs / 1000)} s.`),
    },
    onChosen: (chosen, as) => {
      const what = chosen.file ?? 'the folder with its safetensors weights';
      const why = chosen.reason === undefined ? '' : ` (${chosen.reason})`;
      log(`${repo}: pulling ${what}${why} at ${chosen.repo.revision.slice(0, 12)} as ${as}`);
    },
    onDownload: ({ path, doneBytes, totalBytes }) => progress.show(path, doneBytes, totalBytes),
    onImport: (phase, done, total) => {
      progress.end();
      importing.show(phase, done, total);
    },
    onKept: (folder) => {
      progress.end();
      log(`What came is kept in ${folder}; the same command goes on from there.`);
    },
  }).finally(() => {
    progress.end();
    importing.end();
  });
  const shown = listed(model);
  const bytes = pulled.files.reduce((sum, entry) => sum + entry.bytes, 0);
  const { repo: at, kind, files, ...rest } = pulled;
  const chosen = {
    ...(rest.file !== undefined && { file: rest.file }),
    ...(rest.reason && { reason: rest.reason }),
  };
  return {
    json: { ...shown, pulled: { repo: at.id, revision: at.revision, kind, ...chosen, files } },
    text: `${languageTable([shown])}\nPulled ${formatBytes(bytes)} in ${files.length} files.`,
  };
}

/**
 * HF_TOKEN is for the hub of the same environment: one named on the command line gets a token only when told which.
 * @throws SluiceError `bad-input` for a variable that is not set.
 */
function tokenOf(env: NodeJS.ProcessEnv, { hub, tokenEnv }: PullOptions): string | undefined {
  if (tokenEnv === undefined) return hub === undefined ? env['HF_TOKEN'] || undefined : undefined;
  const token = env[tokenEnv];
  if (token !== undefined && /^[\x21-\x7e]+$/.test(token)) return token;
  const found = token === undefined || token === '' ? 'nothing' : 'letters that no token has';
  throw new SluiceError(
    'bad-input',
    `--token-env ${tokenEnv}: expected a token in that variable, found ${found}.`,
  );
}

interface ShownDownload {
  readonly show: (path: string, doneBytes: number, totalBytes: number) => void;
  readonly end: () => void;
}

/** A line that changes in a terminal; a line for each file and each tenth of the whole elsewhere. */
function showDownload(stream: NodeJS.WriteStream, clock: Clock): ShownDownload {
  const meter = new TransferMeter(clock);
  let drawnMs = -Infinity;
  let told = '';
  let isOpen = false;
  return {
    show: (path, doneBytes, totalBytes) => {
      meter.update(doneBytes);
      const text = `${printable(path)}: ${meter.text(doneBytes, totalBytes)}`;
      const isDone = doneBytes === totalBytes;
      if (stream.isTTY && (isDone || clock.nowMs() - drawnMs >= REDRAW_MS)) {
        stream.write(`\r\x1b[K${text}`);
        drawnMs = clock.nowMs();
        isOpen = true;
      }
      const step = `${path} ${totalBytes === 0 ? STEPS : Math.floor((STEPS * doneBytes) / totalBytes)}`;
      if (!stream.isTTY && step !== told) stream.write(`${text}\n`);
      told = step;
    },
    end: () => {
      if (isOpen) stream.write('\r\x1b[K');
      isOpen = false;
    },
  };
}
