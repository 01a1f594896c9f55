import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from 'vitest';

import { CRAFTED_FILES } from '../test-support/crafted-files';
import { FileReader } from '../test-support/file-reader';
import { SoundLibrary } from '../test-support/sound-library';

let root: string;
let reader: FileReader;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'sluice-crafted-'));
  reader = new FileReader(root);
  const library = await SoundLibrary.make(root);
  library.copyModels(join(reader.folder, 'library'), ['net', 'asked']);
  library.copyStore(join(reader.folder, 'figures'));
});
afterAll(() => {
  reader.close();
  rmSync(root, { recursive: true, force: true });
});

it.each(CRAFTED_FILES.map((file) => [file.what, file] as const))(
  '%s',
  async (_what, { format, file, bytes, refusal }) => {
    const answer = await reader.expectSound(format, file, bytes());
    if (refusal === undefined || answer.error) expect(answer.error?.message ?? '').toMatch(refusal ?? /^$/);
    else expect(refusal.source).toBe('.*');
  },
);
