import type { ShownRun } from '../../lab/shown-run';
import { table } from '../table';

/** `failed, exit code 3`; `queued, 2nd in line: waits for 2 CPUs`. */
export function stateText(run: ShownRun): string {
  const { state, exitCode, signal, reason, position } = run;
  const facts = [
    state,
    ...(state === 'failed' && exitCode !== undefined ? [`exit code ${exitCode}`] : []),
    ...(signal === undefined ? [] : [signal]),
    ...(position === undefined ? [] : [`number ${position} in line`]),
    ...(run.idleSinceMs === undefined ? [] : ['idle']),
  ].join(', ');
  return reason === undefined ? facts : `${facts}: ${reason}`;
}

export function runTable(runs: readonly ShownRun[]): string {
  if (runs.length === 0)
    return 'No runs. "sluice lab run -e PROGRAM" launches one; "sluice lab ps --all" lists those that have ended.';
  return table<ShownRun>(
    [
      { title: 'run', text: ({ name }) => name },
      { title: 'state', text: stateText },
      { title: 'program', text: ({ entry, args }) => [entry, ...args].join(' ').slice(0, 60) },
      { title: 'CPUs', text: ({ resources }) => String(resources.cpus), align: 'right' },
      { title: 'engine', text: ({ engine }) => engine },
      { title: 'took', text: tookText, align: 'right' },
    ],
    runs,
  );
}

function tookText({ startedMs, endedMs }: ShownRun): string {
  return startedMs === undefined || endedMs === undefined
    ? ''
    : `${((endedMs - startedMs) / 1000).toFixed(1)} s`;
}

interface Difference {
  readonly what: string;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

export function differenceTable(differences: readonly Difference[]): string {
  if (differences.length === 0) return 'They have everything in common.';
  return table<Difference>(
    [
      { title: 'what', text: ({ what }) => what },
      { title: 'from', text: ({ from = '-' }) => from },
      { title: 'to', text: ({ to = '-' }) => to },
    ],
    differences,
  );
}
