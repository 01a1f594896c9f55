import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { SluiceError } from '../../contract';
import { benchMachine, type BenchMachine } from '../bench/machine';
import { benchApp, type AppReport } from './app-bench';
import { RunFolder } from '../bench/run-folder';
import { barsOf, loadBarsOf, readBudget } from './console-budget';
import type { Bar } from '../bench/bar';
import { countLoads, type LoadCounts } from './load-counts';
import type { ElectronBinary } from './shell';
import { benchTimeline, type TimelineOptions, type TimelineReport } from './timeline-tour';

export interface ConsoleBenchOptions extends TimelineOptions {
  /** Default: that of SLUICE_E2E_ELECTRON, of this process, or of node_modules. */
  readonly electronPath?: string;
  readonly rounds?: number;
  readonly idleSeconds?: number;
  readonly presses?: number;
  readonly workDir?: string;
  readonly parts?: readonly string[];
}

/** What `sluice bench console --json` prints. */
export interface ConsoleBenchReport extends Partial<TimelineReport> {
  readonly machine: BenchMachine;
  readonly app?: AppReport & { readonly electron: string };
  readonly loads?: LoadCounts;
  readonly bars: readonly Bar[];
}

const PARTS = ['timeline', 'app', 'loads'] as const;

/**
 * Measures the console: the timeline's frames, the window from its start on, and what starts load.
 * @throws SluiceError `not-found` without a browser, an Electron or a built page, `unsupported` without Playwright,
 * `bad-input` for an unknown part.
 */
export async function benchConsole(options: ConsoleBenchOptions = {}): Promise<ConsoleBenchReport> {
  const { parts = PARTS, log = () => undefined } = options;
  const unknown = parts.filter((part) => !PARTS.some((known) => known === part));
  if (unknown.length > 0) {
    throw new SluiceError('bad-input', `--only: expected ${PARTS.join(', ')}, found ${unknown.join(', ')}.`);
  }
  const machine = benchMachine();
  const timeline = parts.includes('timeline') ? await benchTimeline(options) : {};
  const app = parts.includes('app') ? await measuredApp(options, log) : undefined;
  const loads = parts.includes('loads') ? await countedLoads(options) : undefined;
  const budget = readBudget();
  const bars = [...(app ? barsOf(app, budget) : []), ...(loads ? loadBarsOf(loads, budget.loads) : [])];
  return { ...timeline, machine, ...(app && { app }), ...(loads && { loads }), bars };
}

async function countedLoads({ workDir = tmpdir() }: ConsoleBenchOptions): Promise<LoadCounts> {
  const folder = await RunFolder.make(workDir, 'bench-console');
  try {
    return await countLoads(join(dirname(realpathSync(process.argv[1] ?? '.')), '..'), folder.path);
  } finally {
    await folder.remove();
  }
}

async function measuredApp(
  { electronPath, rounds = 5, idleSeconds = 20, presses = 40, workDir = tmpdir() }: ConsoleBenchOptions,
  log: (message: string) => void,
): Promise<AppReport & { readonly electron: string }> {
  const electron = findElectron(electronPath);
  log(`${electron.executablePath}: ${rounds} starts beside an empty window's`);
  const cli = realpathSync(process.argv[1] ?? '.');
  const report = await benchApp({ electron, cli, workDir, rounds, idleSeconds, presses, log });
  return { electron: versionOf(electron), ...report };
}

/** @throws SluiceError `not-found`. */
function findElectron(chosen: string | undefined): ElectronBinary {
  const appRoot = join(dirname(realpathSync(process.argv[1] ?? '.')), '..', '..');
  const prepared = process.env['SLUICE_E2E_ELECTRON'];
  if (chosen === undefined && prepared !== undefined) {
    const appArgs = JSON.parse(process.env['SLUICE_E2E_ELECTRON_ARGS'] ?? '[]') as string[];
    return { executablePath: prepared, appArgs };
  }
  const installed = join(appRoot, 'node_modules', 'electron', 'dist', 'electron');
  const executablePath = chosen ?? installed;
  if (existsSync(executablePath)) {
    // One with an application of its own in its resources starts that.
    const hasApp = ['app', 'app.asar'].some((name) =>
      existsSync(join(executablePath, '..', 'resources', name)),
    );
    return { executablePath, appArgs: hasApp ? [] : [appRoot] };
  }
  throw new SluiceError(
    'not-found',
    `No Electron to measure in at ${executablePath}. Name one with --electron, or leave this part out with --only timeline.`,
    { executablePath },
  );
}

function versionOf({ executablePath }: ElectronBinary): string {
  const file = join(executablePath, '..', 'version');
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : 'unknown';
}
