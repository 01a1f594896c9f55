import { app, MessageChannelMain, utilityProcess } from 'electron';
import type { MessagePortMain } from 'electron';

import { saysWhy } from '../core/contract';
import { ENGINE_NAME, reportEngineEnd } from './crash-reports';
import { signalOf } from './ending-signal';
import type { EngineChild, EngineChildEvents } from './engine-supervisor';

/** As much of the engine's stderr as is kept to explain its death. */
const KEPT_LOG_CHARS = 16_000;
/** On a busy machine the signal, or the last of stderr, comes this much later than `exit`. */
const TOLD_WITHIN_MS = 1000;
const LOOK_MS = 50;

/**
 * Forks the engine file as a utilityProcess. Its output goes on to ours. It inherits our environment, so that it keeps
 * its models where the command line does: in SLUICE_DATA_DIR, or in the user's data folder.
 */
export function forkEngine(file: string, events: EngineChildEvents): EngineChild<MessagePortMain> {
  const child = utilityProcess.fork(file, [], {
    serviceName: ENGINE_NAME,
    stdio: 'pipe',
    env: process.env,
  });
  let log = '';
  const { stderr } = child;
  const keep = (chunk: Buffer): void => {
    process.stderr.write(chunk);
    log = (log + chunk.toString('utf8')).slice(-KEPT_LOG_CHARS);
  };
  child.stdout?.on('data', (chunk: Buffer) => process.stdout.write(chunk));
  stderr?.on('data', keep);
  child.once('spawn', events.onSpawn);
  const ended = onceEnded(() => saysWhy(log));
  child.once('exit', (code: number) => {
    // Electron takes every listener off the stream right after this event, though the last word may still be in the pipe.
    setImmediate(() => stderr?.on('data', keep));
    void ended().then((signal) => {
      const end = { code, log, ...(signal !== undefined && { signal }) };
      events.onExit(end, reportEngineEnd(end));
    });
  });
  return {
    giveTokens: ({ tokens, missing }) => child.postMessage({ kind: 'tokens', tokens, missing }),
    connect: (port) => child.postMessage({ kind: 'connect' }, [port]),
    kill: () => {
      child.kill();
    },
  };
}

/**
 * Listens for how an engine ends: `exit` gives a signal's number as if it were an exit code, or 0, and only
 * `child-process-gone` tells them apart. It comes right after `exit`, and not at all where the engine ended itself.
 * @returns to be called at `exit`: resolves to the signal, if one ended it, once that and the rest of stderr have come.
 */
function onceEnded(isTold: () => boolean): () => Promise<string | undefined> {
  let signal: string | undefined;
  let told = (): void => undefined;
  const onGone = (_event: unknown, { name, exitCode }: Electron.Details): void => {
    if (name !== ENGINE_NAME) return;
    signal = signalOf(exitCode, process.platform);
    told();
  };
  app.on('child-process-gone', onGone);
  return async () => {
    for (let waitedMs = 0; signal === undefined && waitedMs < TOLD_WITHIN_MS; waitedMs += LOOK_MS) {
      await new Promise<void>((resolve) => {
        told = resolve;
        setTimeout(resolve, LOOK_MS);
      });
      if (isTold()) break;
    }
    app.off('child-process-gone', onGone);
    return signal;
  };
}

/** A pair of connected ports: one for the engine, one for the renderer. */
export function createPortPair(): { readonly engine: MessagePortMain; readonly renderer: MessagePortMain } {
  const { port1, port2 } = new MessageChannelMain();
  return { engine: port1, renderer: port2 };
}
