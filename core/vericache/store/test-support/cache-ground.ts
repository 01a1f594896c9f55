import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { CacheReaderPool } from '../cache-reader-pool';

/** Where the tests of one file keep caches on disk. */
export interface CacheGround {
  /** Temporary, one for the file. */
  readonly root: string;
  /** Below it, one for each test. */
  readonly folder: string;
  readonly pool: CacheReaderPool;
}

/** To be called once, at the top of a test file. What it gives is there while its tests run. */
export function useCacheGround(): CacheGround {
  const ground = {} as { root: string; folder: string; pool: CacheReaderPool };
  beforeAll(() => {
    ground.root = mkdtempSync(join(tmpdir(), 'sluice-cache-'));
    ground.pool = CacheReaderPool.start();
  });
  afterAll(async () => {
    await ground.pool.close();
    rmSync(ground.root, { recursive: true, force: true });
  });
  beforeEach(() => {
    ground.folder = mkdtempSync(join(ground.root, 'case-'));
  });
  return ground;
}
