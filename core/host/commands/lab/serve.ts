import { join } from 'node:path';

import type { Command } from 'commander';

import type { JobEngine, JobResources } from '../../../lab';
import { requireLabNode } from '../../lab/connection/find-node';
import { LAB_LIMITS, labFolderOf } from '../../lab/connection/lab-connection';
import { ended, tlsOf, tokenOf, type TlsOptions } from '../../server/listen-options';
import { execute } from '../context';
import type { CommandContext, Outcome } from '../context';
import { bytesOf, portOf, positiveOf, wholeOf } from '../option-values';
import { placeOf } from './on-lab';

interface ServeOptions extends TlsOptions {
  readonly port: number;
  readonly host: string;
  readonly tokenFile?: string;
  readonly cpus?: number;
  readonly gpus?: number;
  readonly memory?: number;
  readonly slurm?: boolean;
  readonly ray?: string;
  readonly untilStdinEnds?: boolean;
}

/** MLflow's own default, so that its clients' habits hold. */
const DEFAULT_PORT = 5000;

export function addLabServeCommand(lab: Command): void {
  lab
    .command('serve')
    .description("the lab's server: MLflow's clients, runs and their queue, datasets")
    .option('--port <n>', '0: any free one', portOf, DEFAULT_PORT)
    .option('--host <address>', 'address to listen on; others than loopback need --token-file', '127.0.0.1')
    .option('--token-file <file>', 'file with the bearer token clients must send')
    .option('--tls-cert <file>', 'PEM certificate chain')
    .option('--tls-key <file>', 'PEM private key of the certificate')
    .option('--cpus <n>', 'processors that jobs of this machine may have together', positiveOf)
    .option('--gpus <n>', 'accelerators', wholeOf)
    .option('--memory <size>', 'memory, like 8GiB', bytesOf)
    .option('--slurm', 'also hand jobs to the Slurm cluster that this machine belongs to')
    .option('--ray <url>', "also hand jobs to a Ray cluster: its head's dashboard, http://127.0.0.1:8265")
    .option('--until-stdin-ends', 'end when the standard input does: whoever started it is gone')
    .action((options: ServeOptions, command: Command) =>
      execute(command, (context) => serve(context, options, labFolderOf(context, placeOf(command)))),
    );
}

async function serve(
  context: CommandContext,
  options: ServeOptions,
  folder: string,
): Promise<Outcome | undefined> {
  if (options.untilStdinEnds !== true) return serveUntil(context.signal, context, options, folder);
  const end = stdinEnd();
  try {
    return await serveUntil(AbortSignal.any([context.signal, end]), context, options, folder);
  } finally {
    // As long as it is read, it keeps this process.
    process.stdin.destroy();
  }
}

async function serveUntil(
  end: AbortSignal,
  context: CommandContext,
  options: ServeOptions,
  folder: string,
): Promise<Outcome | undefined> {
  const { host, port } = options;
  const token = options.tokenFile === undefined ? undefined : await tokenOf(options.tokenFile);
  const tls = await tlsOf(options);
  requireLabNode(process.versions);
  const { serveLab } = await import('../../lab/connection/open-lab');
  const engines = await enginesOf(options, folder);
  const served = await serveLab(
    { folder, totals: totalsOf(options), engines, onFault: context.log },
    { host, port, limits: LAB_LIMITS, ...(token !== undefined && { token }), ...(tls && { tls }) },
  );
  const { url } = served.address;
  context.print({
    json: { url, folder, needsToken: token !== undefined },
    text: `The lab in ${folder} listens at ${url}. Python programs log to it with MLFLOW_TRACKING_URI=${url}.`,
  });
  try {
    await ended(end, new AbortController().signal);
  } finally {
    await served.close();
  }
  return undefined;
}

function totalsOf({ cpus, gpus, memory }: ServeOptions): Partial<JobResources> {
  return {
    ...(cpus !== undefined && { cpus }),
    ...(gpus !== undefined && { gpus }),
    ...(memory !== undefined && { memoryBytes: memory }),
  };
}

async function enginesOf({ slurm, ray }: ServeOptions, folder: string): Promise<readonly JobEngine[]> {
  const { RayEngine, SlurmEngine } = await import('../../../lab');
  return [
    ...(slurm ? [new SlurmEngine({ folder: join(folder, 'slurm-jobs') })] : []),
    ...(ray === undefined ? [] : [new RayEngine({ url: ray, folder: join(folder, 'ray-jobs') })]),
  ];
}

/** The other end of a pipe is closed by the system when the process that holds it ends, in whatever way. */
function stdinEnd(): AbortSignal {
  const abort = new AbortController();
  for (const event of ['end', 'close', 'error'] as const) process.stdin.once(event, () => abort.abort());
  process.stdin.resume();
  return abort.signal;
}
