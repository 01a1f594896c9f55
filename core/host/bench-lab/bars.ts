import { median } from '../../base';
import { round, type Bar } from '../bench/bar';
import type { ReadTimes } from './read-times';
import type { LoadResult, LoadRow } from './write-load';

export interface LabFigures extends Omit<LoadResult, 'rows'>, ReadTimes {
  /** Resident memory of a lab's server that nobody asks, over that of a Node that does nothing. */
  readonly idleBytesBeyondNode: number;
}

/** The promises of the lab. */
export function judge(figures: LabFigures, rows: readonly LoadRow[]): readonly Bar[] {
  const bar = (text: string, target: string, value: number, met: boolean): Bar => ({
    bar: text,
    target,
    value: round(value),
    met,
  });
  const { pointsPerSec, lostPoints, searchMs, sampledPoints, keptPeaks, peaks, idleBytesBeyondNode } =
    figures;
  const idleMb = idleBytesBeyondNode / 1e6;
  return [
    bar('points per second from all writers', '>= 100000', pointsPerSec, pointsPerSec >= 100_000),
    bar('acknowledged points lost by kill -9', '0', lostPoints, lostPoints === 0),
    bar('search over all runs by HTTP, ms', '< 50', searchMs, searchMs < 50),
    bar('points that draw the long series', '<= 1000', sampledPoints, sampledPoints <= 1000),
    bar('peaks of the series that its sample has', String(peaks), keptPeaks, keptPeaks === peaks),
    bar('memory of the idle server beyond Node, MB', '< 80', idleMb, idleMb < 80),
    ...peerBar(rows),
  ];
}

/** Rounds of both sides ran one after the other: median of their ratios. */
function peerBar(rows: readonly LoadRow[]): readonly Bar[] {
  const of = (side: LoadRow['side']): readonly LoadRow[] => rows.filter((row) => row.side === side);
  const ratios = of('mlflow').flatMap((peer) =>
    of('sluice')
      .filter((own) => own.round === peer.round)
      .map((own) => own.pointsPerSec / peer.pointsPerSec),
  );
  if (ratios.length === 0) return [];
  const value = median(ratios);
  return [
    { bar: 'points per second over mlflow server', target: '>= 1', value: round(value), met: value >= 1 },
  ];
}
