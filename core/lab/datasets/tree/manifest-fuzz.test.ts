import fc from 'fast-check';
import { expect, it } from 'vitest';

import { damaged } from '../../../base/test-support/mutate';
import { rubbish } from '../../../contract/test-support/rubbish';
import { parseManifest, sealManifest } from './manifest';

const { text } = sealManifest({
  hidden: ['answers/'],
  entries: [
    { path: 'a', type: 'folder', mode: 0o755 },
    { path: 'a/b', type: 'file', mode: 0o644, bytes: 3, chunks: [['0'.repeat(64), 3]] },
  ],
});

it('a damaged list of files and chunks is read or refused', () => {
  const made = fc.oneof(
    damaged(text, 'text'),
    rubbish.map((value) => Buffer.from(typeof value === 'string' ? value : typeof value)),
  );
  fc.assert(
    fc.property(made, (bytes) => {
      try {
        parseManifest(bytes, 'a manifest');
      } catch (thrown) {
        expect(thrown).toMatchObject({ name: 'SluiceError', code: 'bad-input' });
        expect((thrown as Error).message.length).toBeLessThan(5000);
      }
    }),
    { numRuns: 1000 },
  );
});
