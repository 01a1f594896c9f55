import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import Database from 'libsql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';

import { SluiceError } from '../contract';
import { NEWER, putJson, type NewerStore } from '../contract/test-support/newer-store';
import { NEWER_LAB } from '../lab/test-support/newer-stores';
import { NEWER_LAYERING } from '../layering/test-support/newer-stores';
import { builtInScenario, DecisionLog, systemOf } from '../offload';
import { NEWER_VERICACHE } from '../vericache/test-support/newer-stores';
import { openDataFolder } from './data-folder';
import { ConversationFolder } from './language/conversations/conversation-folder';
import { LanguageLibrary } from './language/library/language-library';
import { AgentMemoryFiles } from './offload/agent-memory';
import { PublishedFile } from './publishing/published-file';
import { StateFile } from './state-file';
import { runCli } from './test-support/run-cli';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'sluice-newer-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function changed(path: string): Promise<never> {
  const log: string[] = [];
  const file = new StateFile(path, z.array(z.string()), (line) => log.push(line));
  file.change(() => ['overwritten']);
  await file.settled();
  throw new Error(log.join());
}

const ID = '11111111-2222-3333-4444-555555555555';
const SYSTEM = systemOf(builtInScenario({ users: 1 }));

/** Those of the host, and of agents, which the host keeps; each other domain tells its own. */
const OF_HOST: readonly NewerStore[] = [
  {
    name: 'the data folder',
    fixture: () => putJson(folder, 'store-version.json', { version: NEWER, news: true }),
    use: () => openDataFolder(folder, '0.1.0'),
  },
  ...['settings', 'runs', 'offload', 'endpoints', 'deployments', 'published'].map((name): NewerStore => ({
    name: `${name}.json, at the start`,
    fixture: () => putJson(folder, `${name}.json`, { version: NEWER, content: { news: true } }),
    use: () => openDataFolder(folder, '0.1.0'),
  })),
  {
    name: 'a state file, read',
    fixture: () => putJson(folder, 'runs.json', { version: NEWER, content: [] }),
    use: (path) => new StateFile(path, z.array(z.string()), () => undefined).read(),
  },
  {
    name: 'a state file, changed',
    fixture: () => putJson(folder, 'runs.json', { version: NEWER, content: [] }),
    use: changed,
  },
  {
    name: 'what is published',
    fixture: () => putJson(folder, 'published.json', { version: NEWER, content: {} }),
    use: (path) => new PublishedFile(path, () => 0),
  },
  {
    name: 'a language model',
    fixture: () => putJson(folder, 'language/llm/manifest.json', { format: NEWER }),
    use: () => new LanguageLibrary(folder).entry('llm').stateReason,
  },
  {
    name: 'a conversation',
    fixture: () => putJson(folder, `conversations/${ID}/conversation.json`, { format: NEWER, id: ID }),
    use: (path) =>
      new ConversationFolder(dirname(path), ID, () => undefined).change((stored) => ({
        ...stored,
        title: 'x',
      })),
  },
  {
    name: 'what an agent learned',
    fixture: async () => {
      const files = new AgentMemoryFiles(folder, () => undefined);
      await files.save(await files.open('q-learning', SYSTEM));
      const name = readdirSync(folder).find((file) => file.endsWith('.checkpoint'))!;
      return putJson(folder, name, { format: 'sluice-offload-checkpoint', version: NEWER });
    },
    use: () => new AgentMemoryFiles(folder, () => undefined).open('q-learning', SYSTEM),
  },
  {
    name: 'the log of decisions',
    fixture: () => {
      const path = join(folder, 'decisions.db');
      const made = new Database(path);
      made.exec(`CREATE TABLE news (x); PRAGMA user_version = ${NEWER}`);
      made.close();
      return path;
    },
    use: (path) => new DecisionLog(path),
  },
];

const STORES = [...OF_HOST, ...NEWER_LAYERING, ...NEWER_VERICACHE, ...NEWER_LAB];

/** Every file with its content and when it was written; locks that came and went don't count. */
function everything(): Readonly<Record<string, string>> {
  const entries = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(folder, name)).isFile())
    .map((name) => {
      const bytes = readFileSync(join(folder, name));
      const digest = createHash('sha256').update(bytes).digest('hex');
      return [name, `${digest} ${statSync(join(folder, name)).mtimeMs}`];
    });
  return Object.fromEntries(entries) as Record<string, string>;
}

describe('what a newer Sluice wrote', () => {
  it.each(STORES)(
    '$name: is refused by its file and versions, and left as it is',
    async ({ fixture, use }) => {
      const path = await fixture(folder);
      const before = everything();
      let said: string;
      try {
        said = String(await use(path, folder));
      } catch (thrown) {
        if (thrown instanceof SluiceError) expect(thrown.code).toBe('unsupported');
        said = SluiceError.from(thrown).message;
      }
      expect(said).toMatch(new RegExp(`version ${NEWER}\\b.*\\b(knows|reads) version`));
      if (!said.startsWith('version')) expect(said).toContain(path);
      expect(everything()).toEqual(before);
    },
  );

  it('is refused by every command, which says which file and what to do', async () => {
    const path = putJson(folder, 'data/store-version.json', { version: NEWER });
    const { code, stderr } = await runCli(join(folder, 'data'), ['models', 'list']);
    expect(code).toBe(1);
    expect(stderr).toContain(`${path} (the data folder) has version ${NEWER}`);
    expect(readdirSync(join(folder, 'data'))).toEqual(['store-version.json']);
  });
});

describe('what an earlier Sluice wrote', () => {
  it('is read as it is, marked, and written with its version', async () => {
    putJson(folder, 'runs.json', ['one']);
    await openDataFolder(folder, '0.1.0');
    expect(JSON.parse(readFileSync(join(folder, 'store-version.json'), 'utf8'))).toEqual({
      version: 1,
      writtenBy: '0.1.0',
    });
    const path = join(folder, 'runs.json');
    const file = new StateFile(path, z.array(z.string()), () => undefined);
    file.change((runs = []) => [...runs, 'two']);
    await file.settled();
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ version: 1, content: ['one', 'two'] });
  });
});
