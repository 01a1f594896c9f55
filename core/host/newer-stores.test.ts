/* eslint-disable boundaries/dependencies -- one table of every store there is, also of those no index exports */
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import Database from 'libsql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';

import { SluiceError } from '../contract';
import { ModelLibrary } from '../layering';
import { readProfile, writeProfile } from '../layering/profile-file';
import { readManifest } from '../layering/manifest';
import { LabDatabase } from '../lab/store/lab-database';
import { builtInScenario, DecisionLog, systemOf } from '../offload';
import { PrefixStore, SessionStore } from '../vericache';
import { headerRecord } from '../vericache/store/journal-records';
import { readJournal } from '../vericache/store/journal-file';
import { openDataFolder } from './data-folder';
import { ConversationFolder } from './language/conversations/conversation-folder';
import { LanguageLibrary } from './language/library/language-library';
import { AgentMemoryFiles } from './offload/agent-memory';
import { PublishedFile } from './publishing/published-file';
import { StateFile } from './state-file';
import { runCli } from './test-support/run-cli';

const NEWER = 1000;
const HERE = { runtimeVersion: '1', instructionSet: 'avx2' };
const clock = { nowMs: () => 1 };
const HASH = 'a'.repeat(64);

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'sluice-newer-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Store {
  readonly name: string;
  /** Writes what a newer Sluice may have left. @returns the file whose version tells. */
  readonly fixture: () => string | Promise<string>;
  /** What an older Sluice does with such a store. @throws, or gives why it can't be used. */
  readonly use: (path: string) => unknown;
}

const json = (path: string, value: object): string => {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), JSON.stringify(value));
  return join(folder, path);
};

async function changed(path: string): Promise<never> {
  const log: string[] = [];
  const file = new StateFile(path, z.array(z.string()), (line) => log.push(line));
  file.change(() => ['overwritten']);
  await file.settled();
  throw new Error(log.join());
}

const database = (path: string, sql: string): string => {
  const made = new Database(join(folder, path));
  made.exec(sql);
  made.close();
  return join(folder, path);
};

const ID = '11111111-2222-3333-4444-555555555555';
const SYSTEM = systemOf(builtInScenario({ users: 1 }));

const STORES: readonly Store[] = [
  {
    name: 'the data folder',
    fixture: () => json('store-version.json', { version: NEWER, news: true }),
    use: () => openDataFolder(folder, '0.1.0'),
  },
  ...['settings', 'runs', 'offload', 'endpoints', 'deployments', 'published'].map((name): Store => ({
    name: `${name}.json, at the start`,
    fixture: () => json(`${name}.json`, { version: NEWER, content: { news: true } }),
    use: () => openDataFolder(folder, '0.1.0'),
  })),
  {
    name: 'a state file, read',
    fixture: () => json('runs.json', { version: NEWER, content: [] }),
    use: (path) => new StateFile(path, z.array(z.string()), () => undefined).read(),
  },
  {
    name: 'a state file, changed',
    fixture: () => json('runs.json', { version: NEWER, content: [] }),
    use: changed,
  },
  {
    name: 'what is published',
    fixture: () => json('published.json', { version: NEWER, content: {} }),
    use: (path) => new PublishedFile(path, () => 0),
  },
  {
    name: 'a model of the library',
    fixture: () => {
      json('models/net/store-abc/manifest.json', { format: 2 });
      json('models/net/store-other/manifest.json', { format: 2 });
      return json('models/net/entry.json', { format: NEWER, stores: ['store-abc', 'store-other'] });
    },
    use: async () => (await ModelLibrary.open(folder, HERE)).list()[0]?.stateReason,
  },
  {
    name: 'the task of a model',
    fixture: () => json('models/net/entry.json', { format: NEWER }),
    use: async () => (await ModelLibrary.open(folder, HERE)).setTask('net', { kind: 'tensor' }),
  },
  {
    name: 'a layer store',
    fixture: () => json('store/manifest.json', { format: NEWER }),
    use: (path) => readManifest(dirname(path)),
  },
  {
    name: "a store's profile",
    fixture: () => json('store/profile.json', { format: NEWER, rings: {} }),
    use: (path) => {
      expect(readProfile(dirname(path))).toBeUndefined();
      return writeProfile(dirname(path), {
        format: 3,
        threads: 1,
        layerMs: [],
        stepMs: 0,
        readers: 1,
        rings: [],
      });
    },
  },
  {
    name: 'a language model',
    fixture: () => json('language/llm/manifest.json', { format: NEWER }),
    use: () => new LanguageLibrary(folder).entry('llm').stateReason,
  },
  {
    name: 'a conversation',
    fixture: () => json(`conversations/${ID}/conversation.json`, { format: NEWER, id: ID }),
    use: (path) =>
      new ConversationFolder(dirname(path), ID, () => undefined).change((stored) => ({
        ...stored,
        title: 'x',
      })),
  },
  {
    name: 'a session',
    fixture: () => json(`sessions/${'0'.repeat(16)}/session.json`, { version: NEWER }),
    use: () => new SessionStore(join(folder, 'sessions'), clock).open('0'.repeat(16)),
  },
  {
    name: 'the cache of a conversation',
    fixture: () => {
      const header = { version: NEWER, identity: {}, shape: {} } as unknown as Parameters<
        typeof headerRecord
      >[0];
      const path = json('cache/journal', {});
      writeFileSync(path, headerRecord(header).bytes);
      return path;
    },
    use: readJournal,
  },
  {
    name: 'a kept prefix',
    fixture: () => json(`prefixes/${HASH}/prefix.json`, { version: NEWER }),
    use: async () => {
      const store = await PrefixStore.open({ folder: join(folder, 'prefixes'), clock } as never);
      expect(store.find([HASH])).toBeUndefined();
      // It is left alone without a word: nobody asked for it.
      return `version ${NEWER}, and this Sluice knows versions up to 1`;
    },
  },
  {
    name: 'what an agent learned',
    fixture: async () => {
      const files = new AgentMemoryFiles(folder, () => undefined);
      await files.save(await files.open('q-learning', SYSTEM));
      const name = readdirSync(folder).find((file) => file.endsWith('.checkpoint'))!;
      return json(name, { format: 'sluice-offload-checkpoint', version: NEWER });
    },
    use: () => new AgentMemoryFiles(folder, () => undefined).open('q-learning', SYSTEM),
  },
  {
    name: 'the log of decisions',
    fixture: () => database('decisions.db', `CREATE TABLE news (x); PRAGMA user_version = ${NEWER}`),
    use: (path) => new DecisionLog(path),
  },
  {
    name: "an area of the lab's database",
    fixture: () =>
      database(
        'lab.db',
        `CREATE TABLE area_versions (area TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT, WITHOUT ROWID;
         INSERT INTO area_versions VALUES ('runs', ${NEWER})`,
      ),
    use: (path) => LabDatabase.open(path, [{ area: 'runs', steps: ['CREATE TABLE runs_all (x)'] }]),
  },
];

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
      const path = await fixture();
      const before = everything();
      let said: string;
      try {
        said = String(await use(path));
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
    const path = json('data/store-version.json', { version: NEWER });
    const { code, stderr } = await runCli(join(folder, 'data'), ['models', 'list']);
    expect(code).toBe(1);
    expect(stderr).toContain(`${path} (the data folder) has version ${NEWER}`);
    expect(readdirSync(join(folder, 'data'))).toEqual(['store-version.json']);
  });
});

describe('what an earlier Sluice wrote', () => {
  it('is read as it is, marked, and written with its version', async () => {
    json('runs.json', ['one']);
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

  it('goes through every step between its version and this one', () => {
    const format = {
      what: 'names',
      version: 3,
      schema: z.array(z.object({ name: z.string() })),
      upgrades: {
        2: (content: unknown) => (content as string).split(','),
        3: (content: unknown) => (content as string[]).map((name) => ({ name })),
      },
    };
    const read = (value: unknown): unknown => {
      writeFileSync(join(folder, 'names.json'), JSON.stringify(value));
      return new StateFile(join(folder, 'names.json'), format, () => undefined).read();
    };
    const now = [{ name: 'a' }, { name: 'b' }];
    expect(read('a,b')).toEqual(now);
    expect(read({ version: 1, content: 'a,b' })).toEqual(now);
    expect(read({ version: 2, content: ['a', 'b'] })).toEqual(now);
    expect(read({ version: 3, content: now })).toEqual(now);
  });
});

describe('a state file on a disk that fails', () => {
  it('keeps what it was told, and saves it once the disk works again', async () => {
    const path = join(folder, 'sub', 'names.json');
    mkdirSync(dirname(path));
    const log: string[] = [];
    const file = new StateFile(path, z.array(z.string()), (line) => log.push(line));
    // A folder in the place of the file: it can be neither read nor replaced.
    mkdirSync(path);
    file.change((names = []) => [...names, 'one']);
    await file.settled();
    expect(log.join()).toMatch(/was not saved/);
    expect(existsSync(`${path}.lock`)).toBe(false);
    rmSync(path, { recursive: true });
    file.change((names = []) => [...names, 'two']);
    expect(file.read()).toEqual(['one', 'two']);
    await file.settled();
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ version: 1, content: ['one', 'two'] });
  });
});
