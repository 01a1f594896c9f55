import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from './lib/paths.mjs';
import { run } from './lib/process.mjs';

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
