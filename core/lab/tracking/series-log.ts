import type { Statement } from 'libsql';

import type { LabDatabase } from '../store/lab-database';
import { POINT_BYTES } from './points';
import { bytesOf } from './rows';

/** A metric of a run, and how many points it has. */
export interface SeriesLength {
  readonly key: string;
  readonly series: number;
  readonly points: number;
}

/**
 * Metrics as logs: points in the order they came, none ever leaves, new ones come last; so that a number of points says what
 * was read already. As they were settled last.
 */
export class SeriesLog {
  private readonly lengths: Statement;
  private readonly blocks: Statement;
  private readonly part: Statement;

  constructor(database: LabDatabase) {
    this.lengths = database
      .prepare(
        'SELECT key, m.series, (SELECT coalesce(sum(length(points)), 0) FROM tracking_blocks b WHERE b.series = m.series) ' +
          'FROM tracking_metrics m WHERE run = ?',
      )
      .raw();
    this.blocks = database
      .prepare('SELECT id, length(points) FROM tracking_blocks WHERE series = ? ORDER BY id')
      .raw();
    this.part = database.prepare('SELECT substr(points, ?, ?) FROM tracking_blocks WHERE id = ?').raw();
  }

  lengthsOf(run: number): readonly SeriesLength[] {
    const rows = this.lengths.all([run]) as [string, number, number][];
    return rows.map(([key, series, bytes]) => ({ key, series, points: bytes / POINT_BYTES }));
  }

  /** Packed points from the one numbered `from` (0 is the first), at most `most`. */
  read(series: number, from: number, most: number): Buffer {
    const parts: Uint8Array[] = [];
    let skipBytes = from * POINT_BYTES;
    let leftBytes = most * POINT_BYTES;
    for (const [id, length] of this.blocks.all([series]) as [number, number][]) {
      if (leftBytes === 0) break;
      if (skipBytes >= length) {
        skipBytes -= length;
        continue;
      }
      const takenBytes = Math.min(length - skipBytes, leftBytes);
      const [[bytes]] = this.part.all([skipBytes + 1, takenBytes, id]) as [[Uint8Array | ArrayBuffer]];
      parts.push(bytesOf(bytes));
      skipBytes = 0;
      leftBytes -= takenBytes;
    }
    return Buffer.concat(parts);
  }
}
