import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tinyChatModel } from '../../core/llm/test-support/tiny-chat-model';

const HERE = import.meta.dirname;
/** Two cores that other tests use too. */
const LONGEST_MS = 120_000;

let folder;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-examples-'));
  writeFileSync(join(folder, 'tiny.gguf'), tinyChatModel());
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const examples = readdirSync(HERE, { withFileTypes: true }).filter((entry) => entry.isDirectory());
/** A model of a few kilobytes in place of SmolLM2. */
const argumentsOf = (name) => (name === 'language' ? [join(folder, 'tiny.gguf')] : []);

describe('examples', () => {
  it.each(examples.map(({ name }) => name))(
    '%s runs to its end',
    async (name) => {
      const env = { ...process.env, SLUICE_DATA_DIR: join(folder, 'data'), TMPDIR: folder };
      const child = spawn(process.execPath, [join(HERE, name, 'run.mjs'), ...argumentsOf(name)], { env });
      let said = '';
      child.stdout.on('data', (text) => (said += text));
      child.stderr.on('data', (text) => (said += text));
      const [code] = await once(child, 'close');
      expect(code, said).toBe(0);
      expect(said).toContain('✓');
    },
    LONGEST_MS,
  );
});
