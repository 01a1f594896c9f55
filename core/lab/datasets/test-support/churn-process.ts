import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { seededRandom } from '../../../base';
import { sha256Hex, writeFileAtomic } from '../../../storage';
import { takeLease } from '../chunks/chunk-leases';
import { ChunkStore } from '../chunks/chunk-store';
import { collectChunks, withStore } from '../chunks/collect-chunks';

/** Contents that several processes push and drop again and again. */
const CONTENTS = 60;
const CONTENTS_A_PUSH = 8;
const GRACE_MS = 100;

const [root = '', kind = '', seedText = '', turnsText = ''] = process.argv.slice(2);
const random = seededRandom(Number(seedText));

function contentOf(index: number): Buffer {
  return Buffer.from(`${index} `.repeat(500));
}

function referenced(): Set<string> {
  const kept = new Set<string>();
  for (const name of readdirSync(join(root, 'refs'))) {
    if (name.endsWith('.tmp')) continue;
    for (const hash of readFileSync(join(root, 'refs', name), 'utf8').split('\n')) kept.add(hash);
  }
  return kept;
}

/** Pushes some contents in place of those of the turn before, and reads them back. */
async function push(store: ChunkStore): Promise<void> {
  const release = await takeLease(store);
  const hashes: string[] = [];
  for (let at = 0; at < CONTENTS_A_PUSH; at += 1) {
    const content = contentOf(Math.floor(random() * CONTENTS));
    const hash = sha256Hex(content);
    await store.put(hash, content);
    hashes.push(hash);
  }
  await store.sync();
  const ref = join(root, 'refs', `${kind}-${seedText}`);
  await withStore(store, () => writeFileAtomic(ref, hashes.join('\n')));
  await release();
  for (const hash of hashes) await withStore(store, () => store.read(hash));
}

async function run(): Promise<void> {
  const store = await ChunkStore.open(join(root, 'store'));
  let removed = 0;
  for (let turn = 0; turn < Number(turnsText); turn += 1) {
    if (kind === 'push') await push(store);
    else {
      // References are removed and made while it runs: it may only read them when it is asked to.
      const collected = await collectChunks(store, () => Promise.resolve(readReferences()), {
        graceMs: GRACE_MS,
      });
      removed += collected.removedChunks;
    }
    process.stdout.write(`${turn}\n`);
  }
  process.stdout.write(`removed ${removed}\n`);
}

/** A reference is replaced in one step, but its folder is listed before it is read. */
function readReferences(): Set<string> {
  for (;;) {
    try {
      return referenced();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}

run().catch((error: unknown) => {
  rmSync(join(root, 'refs', `${kind}-${seedText}`), { force: true });
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
});
