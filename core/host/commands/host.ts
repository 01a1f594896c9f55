import { spawn } from 'node:child_process';
import { join } from 'node:path';

import type { Command } from 'commander';

import { SluiceError } from '../../contract';
import { onEngineDeath } from '../engine-death';
import { systemClock } from '../host-clock';
import { tokenOf } from '../listen-options';
import { hashOf } from '../server/access-tokens';
import { KeptToken } from '../server/kept-token';
import type { Services } from '../services';
import { execute, onCancel } from './context';
import type { CommandContext, Outcome } from './context';
import { portOf } from './option-values';

interface HostOptions {
  readonly port: number;
  readonly tokenFile?: string;
  readonly open?: boolean;
}

interface TokenOptions {
  readonly rotate?: boolean;
}

/** `sluice host`: an engine without a window, and the console in a browser. Ctrl-C ends it, which is no failure. */
export function addHostCommand(program: Command): void {
  const command = program
    .command('host')
    .description('serve the engine and the web console on this machine')
    .option('--port <n>', 'port on 127.0.0.1; 0: any free one', portOf, 8787)
    .option('--token-file <file>', 'file with the token that opens this host (default: that of "host token")')
    .option('--open', 'open the console in the default browser')
    .action((options: HostOptions, command: Command) =>
      execute(command, (context) => host(context, options)),
    );
  command
    .command('token')
    .description('make the token of this data folder; it is shown once, and only its hash is kept')
    .option('--rotate', 'make a new one in place of the one before, which opens nothing from then on')
    .action((options: TokenOptions, own: Command) => execute(own, (context) => token(context, options)));
}

async function host(
  context: CommandContext,
  { port, tokenFile, open = false }: HostOptions,
): Promise<Outcome | undefined> {
  const fromFile = tokenFile === undefined ? undefined : hashOf(await tokenOf(tokenFile));
  const tokens = [fromFile === undefined ? new KeptToken(context.dataDir).hash : () => fromFile];
  const services = await context.services({ servesConsoles: true });
  const { appRoot, log, signal } = context;
  const rendererDir = join(appRoot, 'out', 'renderer');
  const { startHostServer } = await import('../server/host-server');
  const server = await startHostServer({ services, port, rendererDir, tokens, log });
  const { url } = server;
  context.print({
    json: { url, port: server.port, dataDir: services.info.dataDir },
    text: `Sluice console: ${url}\nModels and runs: ${services.info.dataDir}\nCtrl-C ends it.`,
  });
  if (open) openInBrowser(url, log);
  try {
    await ended(services, signal);
  } finally {
    await server.close();
  }
  return undefined;
}

async function token({ dataDir }: CommandContext, { rotate = false }: TokenOptions): Promise<Outcome> {
  const kept = new KeptToken(dataDir);
  const before = kept.read();
  if (before !== undefined && !rotate) {
    throw new SluiceError(
      'conflict',
      `There is a token, made at ${before.createdAt}. Only its hash is kept, so it can't be shown again: ` +
        '"sluice host token --rotate" makes another.',
      { createdAt: before.createdAt, path: kept.path },
    );
  }
  const made = await kept.replace(systemClock);
  return { json: { token: made, path: kept.path }, text: `${made}\nKeep it: it is not shown again.` };
}

/**
 * SIGINT by the context's signal, SIGTERM from a service manager.
 * @throws SluiceError `engine-down` when the engine died.
 */
function ended(services: Services, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    process.once('SIGTERM', () => resolve());
    onCancel(signal, resolve);
    onEngineDeath(services, (reason) =>
      reject(new SluiceError('engine-down', `The engine died: ${reason} Start "sluice host" again.`)),
    );
  });
}

const OPENERS: Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
};

/** A machine without a desktop has no opener: the address is printed anyway. */
function openInBrowser(url: string, log: (message: string) => void): void {
  const [command, ...args] = OPENERS[process.platform] ?? ['xdg-open'];
  const child = spawn(command, [...args, url], { stdio: 'ignore', detached: true });
  child.once('error', () => log(`No browser could be opened here. Open the address above.`));
  child.unref();
}
