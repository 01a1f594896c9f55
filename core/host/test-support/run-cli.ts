import { spawn } from 'node:child_process';

import { workerFile } from '../../base';

export interface CliAnswer {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Of stdout. @throws SyntaxError when it is not one JSON document. */
  readonly json: () => Readonly<Record<string, unknown>>;
}

/**
 * Runs the built command line in a process of its own, as a shell would.
 * @param interruptOn gets the signal once its output matches.
 */
export function runCli(
  dataDir: string,
  args: readonly string[],
  interruptOn?: RegExp,
  signal: 'SIGINT' | 'SIGTERM' = 'SIGINT',
): Promise<CliAnswer> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [workerFile('cli'), ...args], {
      env: { ...process.env, SLUICE_DATA_DIR: dataDir },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    let interrupted = false;
    const interrupt = (): void => {
      if (interrupted || !interruptOn?.test(stdout + stderr)) return;
      interrupted = child.kill(signal);
    };
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString('utf8');
      interrupt();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString('utf8');
      interrupt();
    });
    child.once('error', reject);
    child.once('close', (code) =>
      resolve({ code, stdout, stderr, json: () => JSON.parse(stdout) as Readonly<Record<string, unknown>> }),
    );
  });
}
