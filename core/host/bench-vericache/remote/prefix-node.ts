import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { workerFile } from '../../../base';
import type { KvNodeOptions } from '../../../vericache';
import { printedUrl } from '../../bench/printed-url';
import { LanguageLibrary } from '../../language/library/language-library';

/** The model's name there. */
const MODEL = 'measured';
/** A long prompt takes minutes to compute on a slow machine, and a bench has time. */
const PREFILL_DEADLINE_MS = 3_600_000;

export interface PrefixNodeOptions {
  /** A GGUF file or a model folder. */
  readonly model: string;
  /** For its library and its prefixes; new. */
  readonly folder: string;
  readonly threads: number;
}

/** `sluice serve` on loopback, in a process of its own: the other node, which keeps full caches of prompts. */
export interface PrefixNode {
  readonly pid: number;
  readonly address: KvNodeOptions;
  /** The model's name there, and the SHA-256 by which the node knows its weights. */
  readonly model: string;
  readonly weights: string;
  /** Ends it at once, whatever it is doing. */
  close(): Promise<void>;
}

/** It also ends when this process exits, or is told to by SIGTERM. @throws SluiceError what importing throws; `runtime` when it does not start. */
export async function startPrefixNode({ model, folder, threads }: PrefixNodeOptions): Promise<PrefixNode> {
  const { sha256 } = await new LanguageLibrary(folder).import({ path: model, name: MODEL });
  const token = randomBytes(24).toString('hex');
  const tokenFile = join(folder, 'token');
  await writeFile(tokenFile, token, { mode: 0o600 });
  const args = ['serve', '--tier', 'edge', '--port', '0', '--models', MODEL, '--token-file', tokenFile];
  const child = spawn(process.execPath, [workerFile('cli'), ...args, '--json'], {
    env: { ...process.env, SLUICE_DATA_DIR: folder, SLUICE_THREADS: String(threads) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const close = endedWithThisProcess(child);
  try {
    const url = await printedUrl('prefix', child);
    const address = { url, token, prefillDeadlineMs: PREFILL_DEADLINE_MS };
    return { pid: child.pid!, address, model: MODEL, weights: sha256, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** @returns the way to end it before. */
function endedWithThisProcess(child: ChildProcess): () => Promise<void> {
  const kill = (): void => void child.kill('SIGKILL');
  // Before the folder is removed that it works in.
  process.prependOnceListener('exit', kill);
  const terminate = (): void => {
    kill();
    // Nobody listens any more: this process ends as it would have.
    process.kill(process.pid, 'SIGTERM');
  };
  process.once('SIGTERM', terminate);
  return async () => {
    process.off('exit', kill);
    process.off('SIGTERM', terminate);
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    kill();
    await gone;
  };
}
