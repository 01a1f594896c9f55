import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';

import { buildSync } from 'esbuild';
import fc from 'fast-check';
import { expect } from 'vitest';

import { workerFile } from '../../base';
import { damaged } from '../../base/test-support/mutate';
import type { Format, ParseAnswer } from './parse-process';

/** A file that is refused is one of these; anything else is a defect of ours. */
const REFUSALS = ['bad-model', 'bad-input', 'unsupported', 'not-found', 'corrupt-store', 'stale-store'];
/** What a store asks for may end outside its files, be more than the machine has, or be none of ONNX Runtime's. */
const REFUSALS_OF_STORES = [...REFUSALS, 'io', 'runtime', 'budget-too-small'];
/** What JavaScript may have, and the process with its native code. */
const HEAP_MIB = 128;
const PEAK_BYTES = 700 * 2 ** 20;
/** Never near it: a file that takes longer keeps the process for ever. */
const HANGS_AFTER_MS = 20_000;
const MOST_LETTERS = 5000;

/** How often, times what a test asks for; what breaks it is not made smaller: each try may take as long. */
export function fuzzRuns(times = 1): { readonly numRuns: number; readonly endOnFailure: true } {
  return {
    numRuns: Math.ceil(times * (process.env['SLUICE_FUZZ'] === '1' ? 2000 : 300)),
    endOnFailure: true,
  };
}

/** A process with little memory that reads files in a folder. It is started anew when it died of one. */
export class FileReader {
  private child: ChildProcess | undefined;
  private readonly script: string;

  /** @param root of the folders; files go below `parsed`. */
  constructor(private readonly root: string) {
    // Beside the built workers, so that what it runs finds them.
    this.script = join(workerFile('compile-process'), '..', '..', 'test', 'parse-process.js');
    buildSync({
      entryPoints: [join(__dirname, 'parse-process.ts')],
      bundle: true,
      platform: 'node',
      target: 'node18',
      outfile: this.script,
      packages: 'external',
    });
  }

  get folder(): string {
    return join(this.root, 'parsed');
  }

  close(): void {
    this.child?.kill('SIGKILL');
  }

  /** What becomes of a file, or how the process ended over it. */
  async read(format: Format, file: string, bytes: Uint8Array): Promise<ParseAnswer | string> {
    this.child ??= fork(this.script, [this.folder], {
      execArgv: [`--max-old-space-size=${HEAP_MIB}`],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    const asked = this.child;
    const answer = await new Promise<ParseAnswer | string>((resolve) => {
      const timer = setTimeout(() => resolve('it hangs'), HANGS_AFTER_MS);
      const ended = (code: number | null, signal: string | null): void =>
        resolve(`it died: ${signal ?? code}`);
      asked.once('exit', ended);
      asked.once('message', (said) => {
        clearTimeout(timer);
        asked.off('exit', ended);
        resolve(said as ParseAnswer);
      });
      asked.send({ format, file, bytes });
    });
    if (typeof answer !== 'string') return answer;
    asked.kill('SIGKILL');
    this.child = undefined;
    return answer;
  }

  /** The file is read or refused, in bounded memory and time. */
  async expectSound(format: Format, file: string, bytes: Uint8Array): Promise<ParseAnswer> {
    const answer = await this.read(format, file, bytes);
    if (typeof answer === 'string') throw new Error(answer);
    const refusals = format === 'layer-store' || format === 'figures' ? REFUSALS_OF_STORES : REFUSALS;
    if (answer.error) expect(refusals, answer.error.stack).toContain(answer.error.code);
    expect(answer.error?.message.length ?? 0).toBeLessThan(MOST_LETTERS);
    expect(answer.peakBytes).toBeLessThan(PEAK_BYTES);
    return answer;
  }

  /** So is each of many that are this one with some damage. */
  async expectAllSound(
    format: Format,
    file: string,
    sound: Uint8Array,
    kind: 'binary' | 'text' = 'binary',
    runs = fuzzRuns(),
  ): Promise<void> {
    expect(await this.read(format, file, sound)).not.toHaveProperty('error');
    await fc.assert(
      fc.asyncProperty(damaged(sound, kind), async (bytes) => {
        await this.expectSound(format, file, bytes);
      }),
      runs,
    );
  }
}
