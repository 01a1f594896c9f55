import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';

import type { Clock } from '../../base';
import { LabDatabase } from '../store/lab-database';
import { REMOTE_LEASE_MS } from './chunks/chunk-leases';
import { ChunkStore } from './chunks/chunk-store';
import { ContentCutter } from './chunks/content-cutter';
import { DatasetCache } from './dataset-cache';
import { datasetSchema } from './dataset-schema';
import { Datasets } from './datasets';
import { RemoteDatasets } from './remote-datasets';
import { Snapshots } from './snapshot/snapshots';
import { makeTree, randomContent, SMALL_CHUNKS } from './test-support/trees';
import { chunksIn, sealManifest, type Manifest } from './tree/manifest';
import { TreeStore } from './tree/tree-store';

const ANN = { name: 'ann' };
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
/** Folders that share files, so that a chunk is referred to from several places. */
const FOLDERS = [
  { 'a.bin': randomContent(1500, 1), 'b.bin': randomContent(700, 2) },
  { 'b.bin': randomContent(700, 2), 'c.bin': randomContent(900, 3) },
  { 'a.bin': randomContent(1500, 1), 'd/c.bin': randomContent(900, 3), 'e.txt': 'e' },
] as const;

/** Goes on only when it is told to. */
class HandClock implements Clock {
  now = Date.now();
  nowMs = (): number => this.now;
  after = (_delayMs: number, run: () => void): (() => void) => {
    const soon = setImmediate(run);
    return () => clearImmediate(soon);
  };
}

let root: string;
let sources: readonly string[];
let count = 0;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'sluice-collect-lab-'));
  sources = FOLDERS.map((files, at) => makeTree(join(root, `source-${at}`), files));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** All that refers to chunks, on a clock that is held. */
class Ground {
  /** Pushes over the network that were not committed, and when they were heard of. */
  readonly pushes = new Map<string, { readonly manifest: Manifest; heardMs: number }>();
  /** Folders that runs hold, by holder. */
  readonly laidOut = new Map<string, { readonly folder: string; readonly manifest: Manifest }>();
  readonly remote: RemoteDatasets;

  private constructor(
    readonly clock: HandClock,
    readonly database: LabDatabase,
    readonly trees: TreeStore,
    readonly datasets: Datasets,
    readonly snapshots: Snapshots,
    readonly cache: DatasetCache,
  ) {
    this.remote = new RemoteDatasets(datasets);
  }

  static async make(): Promise<Ground> {
    const clock = new HandClock();
    const folder = join(root, `lab-${(count += 1)}`);
    const chunks = await ChunkStore.open(join(folder, 'store'), clock);
    const database = LabDatabase.open(':memory:', [datasetSchema]);
    const trees = new TreeStore(chunks, new ContentCutter(SMALL_CHUNKS));
    const cache = new DatasetCache({ folder: join(folder, 'cache'), trees, maxBytes: 1e6 });
    const datasets = new Datasets(database, trees);
    return new Ground(clock, database, trees, datasets, new Snapshots(database, trees), cache);
  }

  async collect(): Promise<void> {
    await this.datasets.collect({ graceMs: MINUTE_MS });
    await this.cache.collect((hash) => this.datasets.catalog.hasPublic(hash));
  }

  /** The newest version, if there is one. */
  newest(name: string): number | undefined {
    return this.datasets.list(ANN).find((one) => one.name === name)?.versions[0]?.number;
  }

  holders(): readonly string[] {
    return (this.database.prepare('SELECT holder FROM datasets_snapshots').all() as { holder: string }[]).map(
      ({ holder }) => holder,
    );
  }

  /** Whatever somebody may still ask for is whole. */
  async check(): Promise<void> {
    const versions = this.datasets.list(ANN).flatMap((one) => one.versions.map(({ hash }) => hash));
    const snapshots = this.holders().map((who) => this.snapshots.of(who)!.hash);
    for (const hash of new Set([...versions, ...snapshots])) {
      expect(await this.trees.verify(await this.trees.manifest(hash))).toEqual([]);
    }
    for (const { folder, manifest } of this.laidOut.values()) {
      for (const { path } of manifest.entries) expect(existsSync(join(folder, path))).toBe(true);
    }
    for (const { manifest, heardMs } of this.pushes.values()) {
      if (this.clock.now - heardMs >= REMOTE_LEASE_MS) continue;
      for (const [hash, bytes] of chunksIn(manifest)) {
        expect(await this.trees.chunks.has(hash, bytes)).toBe(true);
      }
    }
  }
}

type Step = (ground: Ground) => Promise<unknown>;
const at = fc.nat(FOLDERS.length - 1);
const dataset = fc.constantFrom('one', 'two');
const holder = fc.constantFrom('run-1', 'run-2', 'search-1');

/** A push whose client is gone before it commits. */
async function beginPush(ground: Ground, name: string, which: number): Promise<void> {
  const push = `push-of-${which}`;
  const key = { user: ANN, name, push };
  const contents = await contentsOf(which);
  await ground.remote.missing(key, [...contents.chunks.keys()]);
  for (const [hash, bytes] of contents.chunks) await ground.remote.put(key, hash, bytes);
  ground.pushes.set(`${name} ${which}`, { manifest: contents.manifest, heardMs: ground.clock.now });
}

async function commitPush(ground: Ground, name: string, which: number): Promise<void> {
  const begun = ground.pushes.get(`${name} ${which}`);
  if (!begun) return;
  const isHeld = ground.clock.now - begun.heardMs < REMOTE_LEASE_MS;
  const { hash, text } = sealManifest(begun.manifest);
  const outcome = await ground.remote.commit({ user: ANN, name, push: `push-of-${which}` }, hash, text, '');
  if (isHeld) expect(outcome).toHaveProperty('version');
  if ('version' in outcome) ground.pushes.delete(`${name} ${which}`);
  else begun.heardMs = -Infinity;
}

/** A version is removed and collected before whoever reads it has written it out. */
async function readWhileRemoved(ground: Ground, name: string): Promise<void> {
  const number = ground.newest(name);
  if (number === undefined) return;
  const folder = join(root, `read-${(count += 1)}`);
  await ground.datasets.use(ANN, name, String(number), {}, async (manifest) => {
    ground.datasets.removeVersion(ANN, name, String(number));
    ground.clock.now += 2 * HOUR_MS;
    await ground.collect();
    await ground.trees.restore(manifest, folder);
    for (const { path } of manifest.entries) expect(existsSync(join(folder, path))).toBe(true);
  });
}

/** As a run gets its data before it is queued. */
async function layOut(ground: Ground, name: string, who: string): Promise<void> {
  const number = ground.newest(name);
  if (number === undefined) return;
  await ground.cache.release(who);
  await ground.datasets.use(ANN, name, String(number), {}, async (manifest) => {
    ground.laidOut.set(who, { folder: await ground.cache.hold(manifest, who), manifest });
  });
}

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(dataset, at).map(
    ([name, which]): Step =>
      (ground) =>
        ground.datasets.push(ANN, name, sources[which]!),
  ),
  dataset.map((name): Step => async (ground) => {
    const number = ground.newest(name);
    if (number !== undefined) ground.datasets.removeVersion(ANN, name, String(number));
  }),
  fc.tuple(holder, at).map(
    ([who, which]): Step =>
      (ground) =>
        ground.snapshots.take(sources[which]!, who),
  ),
  fc.tuple(holder, holder).map(([from, to]): Step => async (ground) => {
    if (ground.snapshots.of(from)) ground.snapshots.share(from, to);
  }),
  holder.map(
    (who): Step =>
      async (ground) =>
        ground.snapshots.drop(who),
  ),
  fc.tuple(dataset, at).map(
    ([name, which]): Step =>
      (ground) =>
        beginPush(ground, name, which),
  ),
  fc.tuple(dataset, at).map(
    ([name, which]): Step =>
      (ground) =>
        commitPush(ground, name, which),
  ),
  fc.tuple(dataset, holder).map(
    ([name, who]): Step =>
      (ground) =>
        layOut(ground, name, who),
  ),
  holder.map((who): Step => async (ground) => {
    ground.laidOut.delete(who);
    await ground.cache.release(who);
  }),
  dataset.map(
    (name): Step =>
      (ground) =>
        readWhileRemoved(ground, name),
  ),
  fc.constantFrom(0.5 * MINUTE_MS, 2 * HOUR_MS, 20 * HOUR_MS).map((ms): Step => async (ground) => {
    ground.clock.now += ms;
  }),
  fc.constant<Step>((ground) => ground.collect()),
);

it('takes nothing away that a version, a push, a run, a search or a reader needs, and all of the rest', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async (steps) => {
      const ground = await Ground.make();
      for (const take of steps) await take(ground);
      ground.clock.now += 2 * HOUR_MS;
      await ground.collect();
      await ground.check();

      for (const name of ['one', 'two']) {
        for (let number = ground.newest(name); number !== undefined; number = ground.newest(name)) {
          ground.datasets.removeVersion(ANN, name, String(number));
        }
      }
      for (const who of ground.holders()) ground.snapshots.drop(who);
      for (const who of ground.laidOut.keys()) await ground.cache.release(who);
      ground.clock.now += 2 * REMOTE_LEASE_MS;
      expect(await ground.datasets.collect({ graceMs: MINUTE_MS })).toMatchObject({ keptChunks: 0 });
      await ground.collect();
      expect(await ground.cache.held()).toEqual([]);
      const { chunks } = ground.trees;
      const left = readdirSync(join(chunks.root, 'chunks')).flatMap((prefix) =>
        readdirSync(chunks.folderOf(prefix)),
      );
      expect(left).toEqual([]);
      ground.database.close();
    }),
    {
      numRuns: 8,
      // Each kind of need by itself: among many, another one often hides that it is forgotten.
      examples: [
        [[(ground) => ground.datasets.push(ANN, 'one', sources[0]!)]],
        [[(ground) => ground.snapshots.take(sources[1]!, 'search-1')]],
        [[(ground) => beginPush(ground, 'one', 2)]],
      ],
    },
  );
}, 120_000);

const known = new Map<number, Promise<{ manifest: Manifest; chunks: ReadonlyMap<string, Buffer> }>>();

/** What a client finds in a source. */
function contentsOf(which: number): Promise<{ manifest: Manifest; chunks: ReadonlyMap<string, Buffer> }> {
  const read = async () => {
    const ground = await Ground.make();
    await ground.datasets.push(ANN, 'one', sources[which]!);
    const manifest = await ground.datasets.manifest(ANN, 'one', 'latest');
    const chunks = new Map<string, Buffer>();
    for (const hash of chunksIn(manifest).keys()) chunks.set(hash, await ground.trees.readChunk(hash));
    ground.database.close();
    return { manifest, chunks };
  };
  const contents = known.get(which) ?? read();
  known.set(which, contents);
  return contents;
}
