import { MessageChannelMain, utilityProcess } from 'electron';
import type { MessagePortMain } from 'electron';

import { ENGINE_NAME, reportEngineEnd } from './crash-reports';
import type { EngineChild, EngineChildEvents } from './engine-supervisor';

/** As much of the engine's stderr as is kept to explain its death. */
const LAST_WORDS_CHARS = 4_000;

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
  let lastWords = '';
  child.stdout?.on('data', (chunk: Buffer) => process.stdout.write(chunk));
  child.stderr?.on('data', (chunk: Buffer) => {
    process.stderr.write(chunk);
    lastWords = (lastWords + chunk.toString('utf8')).slice(-LAST_WORDS_CHARS);
  });
  child.once('spawn', events.onSpawn);
  child.once('exit', (code: number) => events.onExit(code, lastWords, reportEngineEnd(code, lastWords)));
  return {
    giveTokens: ({ tokens, missing }) => child.postMessage({ kind: 'tokens', tokens, missing }),
    connect: (port) => child.postMessage({ kind: 'connect' }, [port]),
    kill: () => {
      child.kill();
    },
  };
}

/** A pair of connected ports: one for the engine, one for the renderer. */
export function createPortPair(): { readonly engine: MessagePortMain; readonly renderer: MessagePortMain } {
  const { port1, port2 } = new MessageChannelMain();
  return { engine: port1, renderer: port2 };
}
