import { formatBytes } from '../../base';
import type { LabBenchReport } from '../bench-lab';
import { formatMs, table } from './table';

/** The report as tables. */
export function labText(report: LabBenchReport): string {
  const rows = table<LabBenchReport['rows'][number]>(
    [
      { title: 'round', text: ({ round }) => String(round), align: 'right' },
      { title: 'server', text: ({ side }) => side },
      { title: 'points/s', text: ({ pointsPerSec }) => String(pointsPerSec), align: 'right' },
      {
        title: 'CPU per point',
        text: ({ serverMicrosPerPoint: micros }) => (micros === undefined ? '' : `${micros} µs`),
        align: 'right',
      },
      { title: 'refused', text: ({ refusedRequests }) => String(refusedRequests), align: 'right' },
    ],
    report.rows,
  );
  const figures = table<readonly [string, string]>(
    [
      { title: 'figure', text: ([name]) => name },
      { title: 'value', text: ([, value]) => value, align: 'right' },
    ],
    [
      ['points/s, median', String(report.pointsPerSec)],
      ['points acknowledged', String(report.acknowledgedPoints)],
      ['points lost by kill -9', String(report.lostPoints)],
      [`search over ${report.environment.runs} runs`, formatMs(report.searchMs)],
      ['the same within a process', formatMs(report.inProcessSearchMs)],
      [`sample of ${report.environment.seriesPoints} points`, formatMs(report.sampleMs)],
      ['points of the sample', String(report.sampledPoints)],
      ['peaks it kept', `${report.keptPeaks} of ${report.peaks}`],
      ['idle beyond Node', formatBytes(report.idleBytesBeyondNode)],
    ],
  );
  const missing =
    report.peerMissing === undefined ? [] : [`No comparison with MLflow: ${report.peerMissing}`];
  return [rows, figures, ...missing, report.bars.map((bar) => JSON.stringify(bar)).join('\n')].join('\n\n');
}
