import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { buildSync } from 'esbuild';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { workerFile } from '../base';
import { damaged } from '../base/test-support/mutate';
import { tinyChatModel } from '../llm/test-support/tiny-chat-model';
import { writeTinyChatFolder } from '../llm/test-support/tiny-chat-folder';
import { EXAMPLES } from '../vision';
import { writeZooModel, zooNetwork } from '../zoo';
import type { Format, ParseAnswer } from './test-support/parse-process';

/** A file that is refused is one of these; anything else is a defect of ours. */
const REFUSALS = ['bad-model', 'bad-input', 'unsupported', 'not-found'];
/** What JavaScript may have, and the process with its native code. */
const HEAP_MIB = 128;
const PEAK_BYTES = 700 * 2 ** 20;
/** Never near it: a file that takes longer keeps the process for ever. */
const HANGS_AFTER_MS = 20_000;
/** What breaks it is not made smaller: each try may take as long. */
const RUNS = { numRuns: process.env['SLUICE_FUZZ'] === '1' ? 2000 : 300, endOnFailure: true };

let root: string;
let script: string;
let child: ChildProcess | undefined;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'sluice-fuzz-files-'));
  script = join(dirname(dirname(workerFile('compile-process'))), 'test', 'parse-process.js');
  buildSync({
    entryPoints: [join(__dirname, 'test-support', 'parse-process.ts')],
    bundle: true,
    platform: 'node',
    target: 'node18',
    outfile: script,
    packages: 'external',
  });
  await writeZooModel(zooNetwork('tiny-cnn'), join(root, 'cnn.onnx'), { seed: 1, weights: 'inline' });
  mkdirSync(join(root, 'split'));
  await writeZooModel(zooNetwork('tiny-cnn'), join(root, 'split', 'cnn.onnx'), {
    seed: 1,
    weights: 'external',
  });
  writeFileSync(join(root, 'chat.gguf'), tinyChatModel());
  await writeTinyChatFolder(join(root, 'folder'));
});
afterAll(() => {
  child?.kill('SIGKILL');
  rmSync(root, { recursive: true, force: true });
});

/** What becomes of a file in the process, which is started anew when it died of one. */
async function parse(format: Format, file: string, bytes: Uint8Array): Promise<ParseAnswer | string> {
  child ??= fork(script, [join(root, 'parsed')], {
    execArgv: [`--max-old-space-size=${HEAP_MIB}`],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const asked = child;
  const answer = await new Promise<ParseAnswer | string>((resolve) => {
    const timer = setTimeout(() => resolve('it hangs'), HANGS_AFTER_MS);
    const ended = (code: number | null, signal: string | null): void => resolve(`it died: ${signal ?? code}`);
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
  child = undefined;
  return answer;
}

async function expectSound(format: Format, file: string, bytes: Uint8Array): Promise<void> {
  const answer = await parse(format, file, bytes);
  if (typeof answer === 'string') throw new Error(answer);
  if (answer.error) expect(REFUSALS, answer.error.stack).toContain(answer.error.code);
  expect(answer.error?.message.length ?? 0).toBeLessThan(5000);
  expect(answer.peakBytes).toBeLessThan(PEAK_BYTES);
}

async function expectAllSound(
  format: Format,
  file: string,
  sound: Uint8Array,
  kind: 'binary' | 'text' = 'binary',
): Promise<void> {
  expect(await parse(format, file, sound)).not.toHaveProperty('error');
  await fc.assert(
    fc.asyncProperty(damaged(sound, kind), (bytes) => expectSound(format, file, bytes)),
    RUNS,
  );
}

describe('damaged files are read or refused, in bounded memory and time', () => {
  it('ONNX', () => expectAllSound('onnx', 'cnn.onnx', readFileSync(join(root, 'cnn.onnx'))));

  it('ONNX with its weights beside it', async () => {
    cpSync(join(root, 'split'), join(root, 'parsed', 'split'), { recursive: true });
    await expectAllSound('onnx', 'split/cnn.onnx', readFileSync(join(root, 'split', 'cnn.onnx')));
  });

  it('GGUF', () => {
    // Tensors are not looked into: what is damaged is the header.
    return expectAllSound('language', 'chat.gguf', readFileSync(join(root, 'chat.gguf')));
  });

  it.each(['config.json', 'tokenizer.json', 'tokenizer_config.json', 'model.safetensors'])(
    '%s of a folder',
    async (name) => {
      const folder = join(root, 'parsed', name, 'model');
      mkdirSync(folder, { recursive: true });
      for (const file of readdirSync(join(root, 'folder')))
        cpSync(join(root, 'folder', file), join(folder, file));
      const kind = name.endsWith('.json') ? 'text' : 'binary';
      await expectAllSound(
        'language',
        `${name}/model/${name}`,
        readFileSync(join(root, 'folder', name)),
        kind,
      );
    },
  );

  it('pictures', async () => {
    const [example] = readdirSync(join(__dirname, '..', 'vision', 'examples')).filter((name) =>
      /\.png$/.test(name),
    );
    expect(EXAMPLES.length).toBeGreaterThan(0);
    await expectAllSound(
      'image',
      'a.png',
      readFileSync(join(__dirname, '..', 'vision', 'examples', example ?? '')),
    );
  });

  it('tensors', async () => {
    const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }".padEnd(117) + '\n';
    const head = Buffer.concat([
      Buffer.from('\x93NUMPY\x01\0', 'latin1'),
      Buffer.from([118, 0]),
      Buffer.from(header),
    ]);
    await expectAllSound('npy', 'a.npy', Buffer.concat([head, Buffer.alloc(24)]));
  });
});
