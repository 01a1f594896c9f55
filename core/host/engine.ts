import { homedir } from 'node:os';

import { ENGINE_REFUSAL_EXIT_CODE, isNewerStore, lastWordLine, SluiceError } from '../contract';
import type { EngineMessage } from '../contract';
import { appVersion, findAppRoot } from './app-root';
import { connect } from './connection';
import { installCrashReports } from './crash-reports/install-crash-reports';
import { onEngineDeath } from './engine-death';
import { dataDirOf, threadsOf } from './environment';
import { hasFleet } from './fleet/fleet-file';
import { parentMessageOf } from './parent-message';
import { startServices } from './services';
import type { Services } from './services';

/** As much of Electron's utility process ports as is used; core has no types of Electron. */
interface EnginePort {
  on(event: 'message', listener: (message: { readonly data: unknown }) => void): void;
  on(event: 'close', listener: () => void): void;
  start(): void;
  postMessage(message: unknown): void;
}

interface ParentPort {
  on(
    event: 'message',
    listener: (message: { readonly data: unknown; readonly ports: readonly EnginePort[] }) => void,
  ): void;
}

/** A quitting window waits this long at most for runs to stop. */
const CLOSE_WITHIN_MS = 2000;

function log(message: string): void {
  process.stderr.write(`engine: ${message}\n`);
}

/** Tells why this process ends, apart from its notes: it is what the console shows of a dead engine. */
function tellEnd(reason: string): void {
  process.stderr.write(lastWordLine(reason));
}

function fail(thrown: unknown): never {
  tellEnd(SluiceError.from(thrown).message);
  process.exit(isNewerStore(thrown) ? ENGINE_REFUSAL_EXIT_CODE : 1);
}

function serve(services: Services, port: EnginePort): void {
  const channel = {
    send: (message: EngineMessage): void => port.postMessage(message),
    pressure: () => 'free' as const,
  };
  const connection = connect(services, channel, log);
  port.on('message', ({ data }) => {
    // Electron runs no microtasks before this listener returns, and then counts as unhandled what a handler rejects at
    // once and we await a microtask later: a request for a model that is not there ended the engine.
    queueMicrotask(() => connection.receive(data));
  });
  port.on('close', () => connection.close());
  port.start();
}

/** The engine as a process of its own: main gives it the kept tokens, then hands over a port for each window that connects. */
function main(): void {
  const parent = (process as unknown as { readonly parentPort?: ParentPort }).parentPort;
  if (parent === undefined) {
    fail('This file is started by the Sluice window. Use "sluice host" for an engine without one.');
  }
  const dataDir = dataDirOf(process.env, homedir());
  const appRoot = findAppRoot(__dirname);
  installCrashReports({ dataDir: () => dataDir, process: 'engine', app: appVersion(appRoot) });
  process.on('uncaughtExceptionMonitor', (error) => tellEnd(String(error)));
  const starting = startServices({
    dataDir,
    threads: threadsOf(process.env),
    appRoot,
    servesConsoles: true,
    log,
  });
  starting.catch(fail);
  void starting.then(
    (services) => onEngineDeath(services, (reason) => end(starting, 1, reason)),
    () => undefined,
  );
  parent.on('message', ({ data, ports }) => {
    const [port] = ports;
    const message = parentMessageOf(data, log);
    if (message?.kind === 'tokens')
      void starting
        .then(async ({ endpoints, fleet, info }) => {
          await endpoints.adoptTokens(message.tokens, message.missing);
          if (hasFleet(info.dataDir)) (await fleet()).boxes.adoptTokens(message.tokens);
        })
        .catch((thrown: unknown) => log(`tokens: ${SluiceError.from(thrown).message}`));
    else if (message !== undefined && port !== undefined)
      void starting.then((services) => serve(services, port));
    else if (message !== undefined) log('refused a message of the main process: "connect" needs a port');
  });
  process.once('SIGTERM', () => end(starting, 0, 'stopped'));
}

/** Ends the process once runs have stopped and are remembered, or after a short time anyway. */
function end(starting: Promise<Services>, exitCode: number, reason: string): void {
  tellEnd(reason);
  const exit = (): never => process.exit(exitCode);
  setTimeout(exit, CLOSE_WITHIN_MS);
  void starting.then((services) => services.close()).then(exit, exit);
}

main();
