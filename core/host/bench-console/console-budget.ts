import type { Bar } from '../bench/bar';
import type { AppReport } from './app-bench';
import budget from './console-budget.json';

/**
 * What the console may cost: counts and ratios, which a busy machine changes little. Tighten them when it gets leaner;
 * loosen them only with a reason in the commit.
 */
export interface ConsoleBudget {
  /** Cold start over that of an empty window of the same Electron. */
  readonly startToBare: number;
  /** Memory of all processes over that of an empty window's. */
  readonly memoryToBare: number;
  /** Key to frame while the example runs, over the same on an idle machine. */
  readonly busyKeyToIdle: number;
  /** Of one core. */
  readonly idleCpuPct: number;
  readonly processes: number;
  /** Scripts and styles that the window loads before it shows anything. */
  readonly rendererStartBytes: number;
  /** Files that `sluice --version` loads. */
  readonly cliModules: number;
}

export function readBudget(): ConsoleBudget {
  return budget;
}

/** A measured window beside what it may cost. */
export function barsOf(
  app: AppReport,
  { startToBare, memoryToBare, busyKeyToIdle, ...counts }: ConsoleBudget,
): readonly Bar[] {
  const processes = app.processes.reduce((sum, { count }) => sum + count, 0);
  return [
    bar('cold start over an empty window’s', app.startToBare, startToBare),
    bar('memory over an empty window’s', app.memoryToBare, memoryToBare),
    bar('key to frame: busy over idle', app.busyKeyToIdle, busyKeyToIdle),
    bar('idle CPU, percent of a core', app.idleCpuPct, counts.idleCpuPct),
    bar('processes', processes, counts.processes),
  ];
}

function bar(name: string, value: number, limit: number): Bar {
  return { bar: name, target: `<= ${limit}`, value, met: value <= limit };
}
