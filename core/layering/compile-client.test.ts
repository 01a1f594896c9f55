import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { PARTIAL_SUFFIX } from './compile';
import { compileInProcess } from './compile-client';
import type { CompileRequest } from './compile-request';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-compile-client-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('a compiler that dies', () => {
  it.each<readonly [string, string, RegExp, string]>([
    [
      'by a fault in native code',
      "process.kill(process.pid, 'SIGSEGV')",
      /crashed on it \(SIGSEGV\)/,
      'bad-model',
    ],
    ['by its own abort', 'process.abort()', /crashed on it \(SIGABRT\)/, 'bad-model'],
    [
      'killed for memory',
      "process.kill(process.pid, 'SIGKILL')",
      /ended with SIGKILL; .*out of memory/,
      'internal',
    ],
    ['without a word', 'process.exit(3)', /ended with exit code 3/, 'internal'],
  ])('%s refuses the import and leaves nothing', async (_how, code, message, errorCode) => {
    const file = join(folder, 'process.js');
    writeFileSync(file, `process.on('message', () => { ${code}; });`);
    const request = { sourcePath: '/m.onnx', storePath: join(folder, 'store') } as CompileRequest;
    mkdirSync(`${request.storePath}${PARTIAL_SUFFIX}`);
    const compiling = compileInProcess(request, () => undefined, new AbortController().signal, file);
    await expect(compiling).rejects.toMatchObject({
      code: errorCode,
      message: expect.stringMatching(message) as string,
    });
    expect(existsSync(`${request.storePath}${PARTIAL_SUFFIX}`)).toBe(false);
  });
});
