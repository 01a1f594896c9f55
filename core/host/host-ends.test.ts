import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { workerFile } from '../base';
import { ENGINE_REFUSAL_EXIT_CODE, processEndText } from '../contract';
import type { ProcessEnd } from '../contract';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'sluice-ends-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Started {
  readonly child: ChildProcess;
  /** Resolves with what a parent sees of its end. */
  readonly ended: Promise<ProcessEnd>;
}

/** `sluice host` on the folder. @param nodeArgs what Node itself is given. */
function startHost(...nodeArgs: readonly string[]): Started {
  const child = spawn(process.execPath, [...nodeArgs, workerFile('cli'), 'host', '--port', '0'], {
    env: { ...process.env, SLUICE_DATA_DIR: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString('utf8')));
  const ended = once(child, 'close').then(([code, signal]: (number | string | null)[]) => ({
    code: Number(code ?? 0),
    ...(typeof signal === 'string' && { signal }),
    log,
  }));
  return { child, ended };
}

/** Until it has printed its address. */
async function startedHost(): Promise<Started> {
  const host = startHost();
  await once(host.child.stdout!, 'data');
  return host;
}

describe('a host that ends', () => {
  it.each(['SIGKILL', 'SIGABRT'] as const)('by %s is told so', async (signal) => {
    const { child, ended } = await startedHost();
    child.kill(signal);
    expect(processEndText(await ended)).toMatch(new RegExp(`^ended by ${signal}`));
  });

  it('because its heap is full says so', async () => {
    // Too little to start in.
    const end = await startHost('--max-old-space-size=8').ended;
    expect(processEndText(end)).toMatch(/^ended .*: .*heap out of memory$/);
  });

  it('because its code is damaged is told with the error', async () => {
    const damaged = join(folder, 'damaged.cjs');
    writeFileSync(damaged, 'const sum = ;\n');
    const end = await startHost('--require', damaged).ended;
    expect(processEndText(end)).toMatch(/^ended with code 1 .*last lines of its log: .*SyntaxError: /);
  });

  it('because a newer Sluice wrote its data folder has a code of its own, and is not started again', async () => {
    writeFileSync(join(folder, 'store-version.json'), '{"version":99}');
    const { code, log } = await startHost().ended;
    expect(code).toBe(ENGINE_REFUSAL_EXIT_CODE);
    expect(log).toMatch(/^sluice: .* has version 99, and this Sluice knows versions up to /m);
  });
});
