import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ROOT } from '../paths.mjs';
import { packingAlone } from './packing-alone.mjs';

describe('packing', () => {
  let folder;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-packing-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('leaves each of several at once what it made, though all empty the folder first', async () => {
    const shared = join(folder, 'installers');
    const pack = (name) =>
      packingAlone(
        async () => {
          rmSync(shared, { recursive: true, force: true });
          mkdirSync(shared);
          for (const part of ['icons', 'app', 'installer']) {
            await sleep(5);
            writeFileSync(join(shared, `${part}.${name}`), '');
          }
          return readdirSync(shared).sort();
        },
        join(folder, 'lock'),
      );
    const names = ['one', 'two', 'three'];
    expect(await Promise.all(names.map(pack))).toEqual(
      names.map((name) => [`app.${name}`, `icons.${name}`, `installer.${name}`]),
    );
    expect(existsSync(join(folder, 'lock'))).toBe(false);
  });

  it.each([
    ['package.mjs', ['--preview']],
    ['package-deb.mjs', ['--compression', 'none']],
  ])('by %s waits for whoever packs', { timeout: 3_600_000 }, async (script, args) => {
    await packingAlone(async () => {
      const child = spawn(process.execPath, [join(ROOT, 'scripts', script), ...args], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      const ended = once(child, 'exit');
      let said = '';
      child.stderr.on('data', (chunk) => (said += chunk));
      await Promise.race([ended, until(() => said.includes('waiting for process'))]);
      child.kill('SIGKILL');
      await ended;
      expect(said).toContain(`waiting for process ${process.pid}`);
      expect(said).not.toContain('Packing');
    });
  });
});

async function until(isSo) {
  while (!isSo()) await sleep(50);
}
