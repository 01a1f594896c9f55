import { section } from '../blocks';
import { formatNumber } from '../format';
import type { Markup } from '../markup';
import { barPlot } from '../plot/bar-plot';
import { numberOf, rowsOf, textOf } from './bench-file';
import type { BenchFile } from './bench-file';
import { rowTable } from './generic';

/** Points a second that the lab's server takes, beside mlflow server. */
export function labSections(file: BenchFile): readonly Markup[] {
  const rows = rowsOf(file['rows']);
  return [
    section(
      'Logging',
      barPlot({
        title: 'Points that a server takes',
        label: 'points a second',
        format: formatNumber,
        rows: rows.map((row) => ({
          name: `${textOf(row, 'side')}, round ${textOf(row, 'round')}`,
          series: textOf(row, 'side') === 'sluice' ? 0 : 5,
          value: numberOf(row, 'pointsPerSec'),
        })),
      }),
      rowTable('All rounds', rows),
    ),
  ];
}
