import { spawn } from 'node:child_process';
import { join } from 'node:path';

import type { Command } from 'commander';

import { SluiceError } from '../../contract';
import { onEngineDeath } from '../engine-death';
import type { Services } from '../services';
import { execute, onCancel } from './context';
import type { CommandContext, Outcome } from './context';
import { portOf } from './option-values';

interface HostOptions {
  readonly port: number;
  readonly open?: boolean;
}

/** `sluice host`: an engine without a window, and the console in a browser. Ctrl-C ends it, which is no failure. */
export function addHostCommand(program: Command): void {
  program
    .command('host')
    .description('serve the engine and the web console on this machine')
    .option('--port <n>', 'port on 127.0.0.1; 0: any free one', portOf, 8787)
    .option('--open', 'open the console in the default browser')
    .action((options: HostOptions, command: Command) =>
      execute(command, (context) => host(context, options)),
    );
}

async function host(
  context: CommandContext,
  { port, open = false }: HostOptions,
): Promise<Outcome | undefined> {
  const services = await context.services({ servesConsoles: true });
  const { appRoot, log, signal } = context;
  const rendererDir = join(appRoot, 'out', 'renderer');
  const { startHostServer } = await import('../server/host-server');
  const server = await startHostServer({ services, port, rendererDir, log });
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
