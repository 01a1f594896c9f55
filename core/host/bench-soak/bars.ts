import type { Bar } from '../bench/bar';
import type { FaultRow } from './fault-runner';
import type { ProcessRow } from './processes/process-watch';

/** What is judged. */
export interface JudgedFigures {
  readonly wrongResults: number;
  readonly lost: number;
  readonly unexpectedFailures: number;
  readonly processes: readonly ProcessRow[];
  readonly unexpectedEnds: readonly object[];
  readonly leftBehind: readonly string[];
  readonly faults: readonly FaultRow[];
}

/** Connections that come and go by themselves: keep-alive of clients, and a database's reading side. */
const DESCRIPTOR_SLACK = 8;

export function soakBars(figures: JudgedFigures): readonly Bar[] {
  const { processes, faults } = figures;
  const none = (bar: string, value: number): Bar => ({ bar, target: '0', value, met: value === 0 });
  const growth = processes.map(({ descriptors }) => (descriptors ? descriptors.end - descriptors.start : 0));
  const grown = Math.max(0, ...growth);
  const growing = processes.filter(({ memoryVerdict }) => memoryVerdict === 'growing');
  return [
    none('wrong results', figures.wrongResults),
    none('acknowledged things that are lost', figures.lost),
    none('failures that no fault explains', figures.unexpectedFailures),
    none('processes that ended by themselves', figures.unexpectedEnds.length),
    none('processes left behind', figures.leftBehind.length),
    none('faults after which work did not go on', faults.filter((row) => row.notRecovered.length > 0).length),
    none('processes whose memory grows', growing.length),
    {
      bar: 'descriptors more than at the start, at rest',
      target: `<= ${DESCRIPTOR_SLACK}`,
      value: grown,
      met: grown <= DESCRIPTOR_SLACK,
    },
  ];
}
