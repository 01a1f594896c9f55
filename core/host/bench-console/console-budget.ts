import type { Bar } from '../bench/bar';
import type { AppReport } from './app-bench';
import budget from './console-budget.json';
import type { LoadCounts } from './load-counts';

/**
 * What the console may cost: counts and ratios, which a busy machine changes little. Tighten them when it gets leaner;
 * loosen them only with a reason in the commit.
 */
export interface ConsoleBudget {
  /** Cold start over that of an empty window of the same Electron: until the first panel answers, and until all do. */
  readonly startToBare: number;
  readonly filledToBare: number;
  /** Memory of all processes over that of an empty window's. */
  readonly memoryToBare: number;
  /** Key to frame while the example runs, over the same on an idle machine. */
  readonly busyKeyToIdle: number;
  /** Of one core. */
  readonly idleCpuPct: number;
  readonly processes: number;
  /** Of what starts load. */
  readonly loads: LoadCounts;
}

export function readBudget(): ConsoleBudget {
  return budget;
}

/** A measured window beside what it may cost. */
export function barsOf(
  app: AppReport,
  { startToBare, filledToBare, memoryToBare, busyKeyToIdle, ...counts }: ConsoleBudget,
): readonly Bar[] {
  const processes = app.processes.reduce((sum, { count }) => sum + count, 0);
  return [
    bar('cold start over an empty window’s', app.startToBare, startToBare),
    bar('cold start until all is told over an empty window’s', app.filledToBare, filledToBare),
    bar('memory over an empty window’s', app.memoryToBare, memoryToBare),
    bar('key to frame: busy over idle', app.busyKeyToIdle, busyKeyToIdle),
    bar('idle CPU, percent of a core', app.idleCpuPct, counts.idleCpuPct),
    bar('processes', processes, counts.processes),
  ];
}

/** What starts load beside what they may. */
export function loadBarsOf(loads: LoadCounts, budget: LoadCounts): readonly Bar[] {
  return [
    bar('bytes of scripts and styles before the frame', loads.rendererStartBytes, budget.rendererStartBytes),
    bar('bytes that the first panel adds', loads.firstPanelBytes, budget.firstPanelBytes),
    bar('files of the window until then', loads.rendererFiles, budget.rendererFiles),
    bar('bytes of the main process’s scripts', loads.mainBytes, budget.mainBytes),
    bar('files of the engine until it answers', loads.engineFiles, budget.engineFiles),
    bar('bytes of the engine’s scripts until then', loads.engineScriptBytes, budget.engineScriptBytes),
    bar('files of "sluice --version"', loads.cliModules, budget.cliModules),
  ];
}

function bar(name: string, value: number, limit: number): Bar {
  return { bar: name, target: `<= ${limit}`, value, met: value <= limit };
}
