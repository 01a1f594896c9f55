import { spawn } from 'node:child_process';

import { Option } from 'commander';
import type { Command } from 'commander';

import { SluiceError } from '../../contract';
import { systemClock } from '../host-clock';
import type { HostOptions } from '../server/host-options';
import type { HostAddress } from '../server/run-host';
import { execute } from './context';
import type { CommandContext, Outcome } from './context';
import { portOf, positiveOf } from './option-values';

interface TokenOptions {
  readonly rotate?: boolean;
}

/** `sluice host`: an engine without a window, and the console in a browser. Ctrl-C ends it, which is no failure. */
export function addHostCommand(program: Command): void {
  const host = program
    .command('host')
    .description('serve the engine and the web console, on this machine or to a network')
    .option('--port <n>', 'port to listen on; 0: any free one', portOf, 8787)
    .option(
      '--host <address>',
      'address to listen on; others than loopback need TLS and a token',
      '127.0.0.1',
    )
    .option('--token-file <file>', 'file with the token that opens this host (default: that of "host token")')
    .option('--tls-cert <file>', 'PEM certificate chain')
    .option('--tls-key <file>', 'PEM private key of the certificate')
    .addOption(
      new Option('--tls <kind>', 'a certificate that this host makes, keeps and renews').choices([
        'self-signed',
      ]),
    )
    .option('--insecure-http', 'no TLS beyond loopback: a proxy in front does it')
    .option(
      '--allowed-host <name>',
      'another name this host goes by, NAME or NAME:PORT; repeat it for more',
      collect,
    )
    .option('--session-minutes <n>', 'time after which a browser has to log in again', positiveOf, 720)
    .option('--idle-minutes <n>', 'the same, without an open console', positiveOf, 60)
    .option('--user <name>', 'started as root: go on as this user once the port is open')
    .option('--allow-root', 'stay root, though others can reach this host')
    .option('--open', 'open the console in the default browser')
    .action((options: HostOptions, command: Command) =>
      execute(command, (context) => serve(context, options), { isService: true }),
    );
  host
    .command('token')
    .description('make the token of this data folder; it is shown once, and only its hash is kept')
    .option('--rotate', 'make a new one in place of the one before, which opens nothing from then on')
    .action((options: TokenOptions, command: Command) =>
      execute(command, (context) => token(context, options)),
    );
}

function collect(name: string, before: readonly string[] = []): readonly string[] {
  return [...before, name];
}

async function serve(context: CommandContext, options: HostOptions): Promise<undefined> {
  // The other commands need not wait for the server's libraries to load.
  const { runHost } = await import('../server/run-host');
  await runHost(context, options, (address) => {
    context.print({ json: address, text: textOf(address) });
    if (options.open === true) openInBrowser(address.url, context.log);
  });
}

function textOf({ url, dataDir, certificateFingerprint, token: made }: HostAddress): string {
  return [
    `Sluice console: ${url}`,
    ...(made === undefined
      ? []
      : [`Token: ${made} (shown once; "sluice host token --rotate" makes another)`]),
    ...(certificateFingerprint === undefined ? [] : [`Certificate's SHA-256: ${certificateFingerprint}`]),
    `Models and runs: ${dataDir}`,
    'Ctrl-C ends it.',
  ].join('\n');
}

async function token({ dataDir }: CommandContext, { rotate = false }: TokenOptions): Promise<Outcome> {
  const { KeptToken } = await import('../server/kept-token');
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
