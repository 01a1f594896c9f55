import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FALLBACK_DIST } from './lib/electron-fallback.mjs';
import { ROOT } from './lib/paths.mjs';
import { run } from './lib/process.mjs';
import { nodeProblem } from './lib/terminal.mjs';

const start = (...args) => run(process.execPath, [join(ROOT, 'scripts', 'start.mjs'), ...args]);

describe('npm start', () => {
  it('explains itself', async () => {
    const { code, output } = await start('--help');
    expect(code).toBe(0);
    expect(output).toContain('--headless');
  });

  it.each([
    ['--port', 'many', /--port: expected a number from 0 to 65535, found "many"/],
    ['--nonsense', '', /Unknown option '--nonsense'/],
  ])('refuses %s %s', async (option, value, message) => {
    const { code, output } = await start(option, ...(value === '' ? [] : [value]));
    expect(code).toBe(1);
    expect(output).toMatch(message);
    expect(output).not.toContain('    at ');
  });
});

describe('Node', () => {
  it.each(['14.21.3', '16.20.2', '18.20.8', '19.9.0', '20.0.0', '20.18.3', '21.7.3', '22.0.0', '22.11.0'])(
    '%s is too old, and is told which are not',
    (version) => {
      expect(nodeProblem(version)).toBe(
        `Sluice is built with Node 20.19 or 22.12 or newer; this is Node ${version}`,
      );
    },
  );
  it.each(['20.19.0', '20.20.2', '22.12.0', '22.20.0', '23.1.0', '24.0.0', '26.0.0'])(
    '%s is enough',
    (version) => {
      expect(nodeProblem(version)).toBeUndefined();
    },
  );

  const older = join(FALLBACK_DIST, 'electron');
  it.skipIf(!existsSync(older))('is asked before anything else: the older Electron is one, too', async () => {
    const { code, output } = await run(older, [join(ROOT, 'scripts', 'start.mjs')], {
      env: { ELECTRON_RUN_AS_NODE: '1' },
    });
    expect(code).toBe(1);
    expect(output).toMatch(
      /^x Sluice is built with Node .* this is Node 18\.15\.0 \(.*\)\. Install a current/,
    );
    expect(output).not.toContain('    at ');
  });
});
