import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { median, quantile } from '../../base';
import { round } from '../bench/bar';
import { RunFolder } from '../bench/run-folder';
import { pause, type DevtoolsPage } from './devtools-page';
import { keyDelays, momentsOf } from './page-figures';
import { processTree, type ProcessRole, type ProcessUsage } from './process-usage';
import { bareElectron, startShell, type ElectronBinary, type StartedShell } from './shell';

export interface AppBenchOptions {
  readonly electron: ElectronBinary;
  /** `cli.js` beside the running one: it fills the library before the clock runs. */
  readonly cli: string;
  readonly workDir: string;
  /** Starts of each side, in turn, after one of each that warms the page cache. */
  readonly rounds: number;
  /** How long the idle window is watched. */
  readonly idleSeconds: number;
  readonly presses: number;
  readonly log: (message: string) => void;
}

/** The window from its start on, beside an empty window of the same Electron. Milliseconds and bytes. */
export interface AppReport {
  readonly rounds: number;
  /** From the start of the process until the console shows what the engine told for the first panel, and answers. */
  readonly coldStartMs: number;
  /** The same until the engine has told what the other panels begin with. */
  readonly filledMs: number;
  readonly firstPaintMs: number;
  readonly bareStartMs: number;
  readonly startToBare: number;
  readonly filledToBare: number;
  readonly idleSeconds: number;
  /** Of one core, all processes together, the window in view and its telemetry on. */
  readonly idleCpuPct: number;
  readonly idleWakeUpsPerSec: number;
  readonly processes: readonly RoleUsage[];
  readonly memoryBytes: number;
  readonly bareMemoryBytes: number;
  readonly memoryToBare: number;
  /** From a key's press until the frame with the other panel is drawn. */
  readonly keyMsMedian: number;
  readonly keyMsP95: number;
  /** The same while the example runs without a pause. */
  readonly busyKeyMsMedian: number;
  readonly busyKeyMsP95: number;
  readonly busyKeyToIdle: number;
}

export interface RoleUsage {
  readonly role: ProcessRole;
  readonly count: number;
  readonly idleCpuPct: number;
  readonly memoryBytes: number;
}

interface StartTimes {
  readonly interactiveMs: number;
  readonly filledMs: number;
  readonly paintMs: number;
}

const SETTLE_MS = 4_000;

/** @throws SluiceError `unsupported` outside of Linux, `runtime` when a window does not open. */
export async function benchApp(options: AppBenchOptions): Promise<AppReport> {
  const folder = await RunFolder.make(options.workDir, 'bench-console');
  try {
    const bench = new AppBench(options, folder.path);
    await bench.fillLibrary();
    const starts = await bench.starts();
    return { ...starts, ...(await bench.window()) };
  } finally {
    await folder.remove();
  }
}

class AppBench {
  private profiles = 0;
  private readonly bare: ElectronBinary;

  constructor(
    private readonly options: AppBenchOptions,
    private readonly folder: string,
  ) {
    this.bare = bareElectron(options.electron, join(folder, 'bare'));
  }

  async fillLibrary(): Promise<void> {
    const { cli, log } = this.options;
    log('importing the example');
    await promisify(execFile)(process.execPath, [cli, 'models', 'import', '--example', '--json'], {
      env: this.environment(),
    });
  }

  async starts(): Promise<
    Pick<
      AppReport,
      'rounds' | 'coldStartMs' | 'filledMs' | 'firstPaintMs' | 'bareStartMs' | 'startToBare' | 'filledToBare'
    >
  > {
    const { rounds, log } = this.options;
    const own: StartTimes[] = [];
    const bare: number[] = [];
    for (let start = 0; start <= rounds; start += 1) {
      const console = await this.timed(this.options.electron);
      const { interactiveMs: bareMs } = await this.timed(this.bare);
      log(
        `start ${start}: ${Math.round(console.interactiveMs)} ms, an empty window ${Math.round(bareMs)} ms`,
      );
      if (start === 0) continue; // it filled the page cache
      own.push(console);
      bare.push(bareMs);
    }
    const coldStartMs = median(own.map(({ interactiveMs }) => interactiveMs));
    const filledMs = median(own.map((start) => start.filledMs));
    const bareStartMs = median(bare);
    return {
      rounds,
      coldStartMs: round(coldStartMs),
      filledMs: round(filledMs),
      firstPaintMs: round(median(own.map(({ paintMs }) => paintMs))),
      bareStartMs: round(bareStartMs),
      startToBare: round(coldStartMs / bareStartMs),
      filledToBare: round(filledMs / bareStartMs),
    };
  }

  async window(): Promise<Omit<AppReport, keyof Awaited<ReturnType<AppBench['starts']>>>> {
    const bareMemoryBytes = await this.opened(this.bare, async ({ pid }) => memoryOf(processTree(pid)));
    return this.opened(this.options.electron, async (shell) => {
      const idle = await this.idle(shell);
      const { page } = shell;
      const keys = await keyDelays(page, this.options.presses);
      this.options.log('the same while the example runs');
      await startRun(page);
      const busyKeys = await keyDelays(page, this.options.presses);
      return {
        ...idle,
        bareMemoryBytes,
        memoryToBare: round(idle.memoryBytes / bareMemoryBytes),
        keyMsMedian: round(median(keys)),
        keyMsP95: round(quantile(keys, 0.95)),
        busyKeyMsMedian: round(median(busyKeys)),
        busyKeyMsP95: round(quantile(busyKeys, 0.95)),
        busyKeyToIdle: round(median(busyKeys) / median(keys)),
      };
    });
  }

  private async idle({
    pid,
  }: StartedShell): Promise<
    Pick<AppReport, 'idleSeconds' | 'idleCpuPct' | 'idleWakeUpsPerSec' | 'processes' | 'memoryBytes'>
  > {
    const { idleSeconds, log } = this.options;
    log(`watching the idle window for ${idleSeconds} s`);
    const before = new Map(processTree(pid).map((usage) => [usage.pid, usage]));
    const startMs = performance.now();
    await pause(idleSeconds * 1000);
    const after = processTree(pid);
    const elapsedMs = performance.now() - startMs;
    const grown = (figure: 'cpuMs' | 'wakeUps', usages: readonly ProcessUsage[]): number =>
      usages.reduce((sum, usage) => sum + usage[figure] - (before.get(usage.pid)?.[figure] ?? 0), 0);
    const roles = [...new Set(after.map(({ role }) => role))];
    return {
      idleSeconds,
      idleCpuPct: round((100 * grown('cpuMs', after)) / elapsedMs),
      idleWakeUpsPerSec: round((1000 * grown('wakeUps', after)) / elapsedMs),
      processes: roles.map((role) => {
        const own = after.filter((usage) => usage.role === role);
        const idleCpuPct = round((100 * grown('cpuMs', own)) / elapsedMs);
        return { role, count: own.length, idleCpuPct, memoryBytes: memoryOf(own) };
      }),
      memoryBytes: memoryOf(after),
    };
  }

  private async timed(binary: ElectronBinary): Promise<StartTimes> {
    const shell = await this.start(binary);
    try {
      const { firstPaintMs, interactiveMs, filledMs } = await momentsOf(shell.page);
      const { startedMs } = shell;
      return {
        interactiveMs: interactiveMs - startedMs,
        filledMs: filledMs - startedMs,
        paintMs: firstPaintMs - startedMs,
      };
    } finally {
      await shell.close();
    }
  }

  /** A window that has settled: what a start leaves to do is done. */
  private async opened<T>(binary: ElectronBinary, use: (shell: StartedShell) => Promise<T>): Promise<T> {
    const shell = await this.start(binary);
    try {
      await momentsOf(shell.page);
      await pause(SETTLE_MS);
      return await use(shell);
    } finally {
      await shell.close();
    }
  }

  private start({ executablePath, appArgs }: ElectronBinary): Promise<StartedShell> {
    this.profiles += 1;
    const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
    const profile = `--user-data-dir=${join(this.folder, `profile-${this.profiles}`)}`;
    return startShell({
      executablePath,
      args: [...appArgs, ...sandbox, profile],
      env: this.environment(),
    });
  }

  private environment(): NodeJS.ProcessEnv {
    return { ...process.env, SLUICE_DATA_DIR: join(this.folder, 'data') };
  }
}

/** @throws SluiceError `runtime` when the run does not begin within a minute. */
async function startRun(page: DevtoolsPage): Promise<void> {
  await page.press('1');
  await page.evaluate(START_RUN);
}

const START_RUN = `new Promise((resolve, reject) => {
  const giveUp = performance.now() + 60000;
  let isPressed = false;
  const look = () => {
    const button = [...document.querySelectorAll('button')].find((one) => /run continuously/i.test(one.textContent));
    if (!isPressed && button !== undefined && !button.disabled) {
      isPressed = true;
      button.click();
    }
    if (isPressed && document.querySelector('[data-testid="run-latency"]') !== null) resolve(true);
    else if (performance.now() > giveUp) reject(new Error('the example did not begin to run in the window'));
    else setTimeout(look, 50);
  };
  look();
})`;

function memoryOf(usages: readonly ProcessUsage[]): number {
  return usages.reduce((sum, { pssBytes }) => sum + pssBytes, 0);
}
