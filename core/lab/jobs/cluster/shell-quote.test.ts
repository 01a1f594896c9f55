import { execFileSync } from 'node:child_process';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { QUOTE_PROLOGUE, quoteForScript, quoteForShell } from './shell-quote';

const SHELLS = ['sh', 'bash'];

/** Everything that a process can be given: any character but NUL. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }).filter((value) => !value.includes('\0')),
  fc.string({
    unit: fc.constantFrom(`'`, `"`, '\\', '$', '`', '\n', '\r', ' ', '*', '~', '!', '%', '-', '=', '#', 'é'),
  }),
);

describe('quoteForShell and quoteForScript', () => {
  it.each(SHELLS)('are words that %s reads as exactly the text', (shell) => {
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 20 }), (texts) => {
        const words = [...texts.map(quoteForScript), ...texts.map(quoteForShell)];
        // One start of the shell serves many texts.
        const script = `${QUOTE_PROLOGUE}\nprintf '%s\\0' ${words.join(' ')}`;
        const read = execFileSync(shell, ['-c', script], { encoding: 'utf8' });
        expect(read.split('\0').slice(0, -1)).toEqual([...texts, ...texts]);
        expect(texts.map(quoteForScript).join('')).not.toContain('\r');
      }),
      { numRuns: 30 },
    );
  });
});
