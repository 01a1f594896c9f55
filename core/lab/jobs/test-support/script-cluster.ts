import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { resolve } from 'node:path';

import type { TestContext } from 'vitest';
import { expect } from 'vitest';

const SCRIPTS = resolve(import.meta.dirname, '../../../../scripts');

/** A cluster that one of the repository's scripts starts, and that ends with this process at the latest. */
export class ScriptCluster<Ready extends object> {
  private constructor(
    private readonly script: ChildProcess,
    private readonly lines: AsyncIterator<string>,
    private readonly name: string,
    /** Absent when it could not be had. */
    readonly ready: Ready | undefined,
    private readonly problem: string | undefined,
  ) {}

  /** @param name `slurm` or `ray`: the script's. */
  static async start<Ready extends object>(name: string): Promise<ScriptCluster<Ready>> {
    const script = spawn(process.execPath, [resolve(SCRIPTS, `${name}.mjs`), '--json'], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let said = '';
    script.stderr.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
    const lines = createInterface({ input: script.stdout })[Symbol.asyncIterator]();
    const first = await lines.next();
    const answer = first.done
      ? { problem: `scripts/${name}.mjs ended: ${said}` }
      : (JSON.parse(first.value) as Ready | { problem: string });
    const [ready, problem] = 'problem' in answer ? [undefined, answer.problem] : [answer, undefined];
    return new ScriptCluster<Ready>(script, lines, name, ready, problem);
  }

  /** Skips a test where the cluster can't be had; in CI it must be. */
  require(test: TestContext): Ready {
    if (this.ready) return this.ready;
    const message = `${this.name} could not be started: ${this.problem ?? 'no reason was given'}`;
    if (process.env['CI'] === 'true') expect.unreachable(message);
    return test.skip(message);
  }

  async tell(command: string): Promise<void> {
    this.script.stdin!.write(`${command}\n`);
    await this.lines.next();
  }

  async end(): Promise<void> {
    if (this.script.exitCode !== null || this.script.signalCode !== null) return;
    const ended = new Promise((done) => this.script.once('exit', done));
    this.script.stdin!.end();
    await ended;
  }
}
