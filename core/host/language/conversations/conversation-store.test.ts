import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { EventBus } from '../../event-bus';
import { TINY_SETTINGS } from '../../test-support/language-bench';
import { ConversationStore } from './conversation-store';
import { CONVERSATION_FORMAT } from './stored-conversation';

it('remembers nothing of conversations that are gone, however many come and go', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-conversations-'));
  try {
    const store = new ConversationStore({
      folder,
      bus: new EventBus(),
      log: () => undefined,
      runningHere: () => undefined,
    });
    const ids = Array.from({ length: 4 }, () => randomUUID());
    for (const id of ids) {
      await store.create({
        format: CONVERSATION_FORMAT,
        id,
        model: 'tiny',
        tokens: 0,
        updatedAt: '2026-01-01T00:00:00.000Z',
        settings: TINY_SETTINGS,
        messages: [],
      });
    }
    expect((await store.list()).map(({ id }) => id)).toEqual([...ids].sort());
    for (const id of ids.slice(1)) await store.delete(id);
    await store.settled();
    expect([...store['known'].keys()]).toEqual([ids[0]]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
