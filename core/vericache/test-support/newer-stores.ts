import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { NEWER, putJson, type NewerStore } from '../../contract/test-support/newer-store';
import { PrefixStore } from '../remote/prefix-store';
import { readJournal } from '../store/journal-file';
import { headerRecord } from '../store/journal-records';
import { SessionStore } from '../store/session-store';

const clock = { nowMs: () => 1 };
const SESSION = '0'.repeat(16);
const HASH = 'a'.repeat(64);

export const NEWER_VERICACHE: readonly NewerStore[] = [
  {
    name: 'a session',
    fixture: (folder) => putJson(folder, `sessions/${SESSION}/session.json`, { version: NEWER }),
    use: (_path, folder) => new SessionStore(join(folder, 'sessions'), clock).open(SESSION),
  },
  {
    name: 'the cache of a conversation',
    fixture: (folder) => {
      const header = { version: NEWER, identity: {}, shape: {} };
      const path = putJson(folder, 'cache/journal', {});
      writeFileSync(path, headerRecord(header as unknown as Parameters<typeof headerRecord>[0]).bytes);
      return path;
    },
    use: readJournal,
  },
  {
    name: 'a kept prefix',
    fixture: (folder) => putJson(folder, `prefixes/${HASH}/prefix.json`, { version: NEWER }),
    use: async (_path, folder) => {
      const store = await PrefixStore.open({ folder: join(folder, 'prefixes'), clock } as never);
      if (store.find([HASH])) throw new Error('A newer prefix was found.');
      // It is left alone without a word: nobody asked for it.
      return `version ${NEWER}, and this Sluice knows versions up to 1`;
    },
  },
];
