import { statSync } from 'node:fs';
import { median } from '../base';
import type { Engine } from './engine';
import type { RingProfile } from './profile-file';

const SMALL_READ_BYTES = 64 << 10;
/** What is read for one figure. */
const ONE_READER_BYTES = 16 << 20;
const ALL_READERS_BYTES = 48 << 20;
/** Stands in for a disk that has nothing to read, bytes per second. */
const NO_DISK_RATE = 1e9;

export type DiskFigures = Pick<RingProfile, 'readBytesPerSec' | 'readerBytesPerSec' | 'readLatencyMs'>;

/** Bytes per second: of all readers, and of one with reads of two sizes. */
interface DiskSample {
  readonly all: number;
  readonly oneLarge: number;
  readonly oneSmall: number;
}

/**
 * Direct reads of a file into memory as a ring of some size has it: small rings stay in the CPU's caches, so that
 * reads into them are faster; the reads of a large one are larger.
 */
export class DiskProbe {
  private readonly samples: DiskSample[] = [];
  private readonly isEmpty: boolean;

  /** @param chunkBytes of one read. */
  constructor(
    private readonly engine: Engine,
    private readonly path: string,
    private readonly memoryBytes: number,
    private readonly chunkBytes: number,
  ) {
    this.isEmpty = statSync(path).size === 0;
  }

  async sample(): Promise<void> {
    if (this.isEmpty) return;
    const { engine, path, memoryBytes, chunkBytes } = this;
    const one = { parallel: 1, totalBytes: ONE_READER_BYTES, memoryBytes };
    this.samples.push({
      all: await engine.measureReads(path, { chunkBytes, memoryBytes, totalBytes: ALL_READERS_BYTES }),
      oneLarge: await engine.measureReads(path, { chunkBytes, ...one }),
      oneSmall: await engine.measureReads(path, { chunkBytes: SMALL_READ_BYTES, ...one }),
    });
  }

  /** A read of n bytes by one reader takes latency + n / rate: two sizes give both. */
  figures(): DiskFigures {
    if (this.isEmpty) {
      return { readBytesPerSec: NO_DISK_RATE, readerBytesPerSec: NO_DISK_RATE, readLatencyMs: 0 };
    }
    const { samples, chunkBytes } = this;
    const readBytesPerSec = median(samples.map((sample) => sample.all));
    const largeSec = chunkBytes / median(samples.map((sample) => sample.oneLarge));
    const smallSec = SMALL_READ_BYTES / median(samples.map((sample) => sample.oneSmall));
    const rate = (chunkBytes - SMALL_READ_BYTES) / Math.max(1e-6, largeSec - smallSec);
    const readerBytesPerSec = Math.min(
      4 * readBytesPerSec,
      Math.max(readBytesPerSec / this.engine.readers, rate),
    );
    const readLatencyMs = Math.max(0.01, (smallSec - SMALL_READ_BYTES / readerBytesPerSec) * 1000);
    return { readBytesPerSec, readerBytesPerSec, readLatencyMs };
  }
}
