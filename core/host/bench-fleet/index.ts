import { fork, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { quantile, systemClock, workerFile } from '../../base';
import { SluiceError } from '../../contract';
import { benchMachine } from '../bench/machine';
import type { BenchMachine } from '../bench/machine';
import { dismiss, tell } from '../bench/commanded-process';
import { printedUrl } from '../bench/printed-url';
import { processFigures, type ProcessFigures } from '../bench/process-figures';
import { RunFolder } from '../bench/run-folder';
import type { BoxCounts, BoxesCommand } from './boxes-protocol';
import { ConsoleClient } from './console-client';
import { measurePanel } from './panel-frames';
import type { PanelReport } from './panel-frames';

export type { PanelStretch } from './panel-frames';

export interface FleetBenchOptions {
  readonly boxes: number;
  /** Of each stretch. */
  readonly seconds: number;
  readonly workDir: string;
  /** Of this Sluice: others are refused. */
  readonly version: string;
  /** Measures the Fleet panel too. */
  readonly panel: boolean;
  /** Chromium or Chrome for it. */
  readonly chromePath?: string;
  readonly log: (message: string) => void;
  readonly signal: AbortSignal;
}

/** What the engine used during a stretch; 100 is one core. */
export interface FleetStretch {
  readonly cpuPct: number;
  readonly rssBytes: number;
}

export interface FleetBenchReport {
  readonly machine: BenchMachine;
  readonly boxes: number;
  readonly seconds: number;
  /** Attached to all boxes with no console connected. */
  readonly unwatched: FleetStretch;
  /** With one console that shows the fleet, each box telling figures. */
  readonly watched: FleetStretch & {
    readonly eventsPerSec: number;
    readonly bytesPerSec: number;
    /** Of boxes whose figures changed meanwhile. */
    readonly toldBoxes: number;
    /** How long the console's own requests took meanwhile. */
    readonly requestMs: { readonly p50: number; readonly p99: number; readonly worst: number };
  };
  /** From the loss of every connection at once until all boxes are online again. */
  readonly allBackMs: number;
  /** The Fleet panel of a console in a browser on the same machine. */
  readonly panel?: PanelReport;
}

const TOKEN = 'token-of-simulated-boxes';
const ASK_EVERY_MS = 50;
const ALL_WITHIN_MS = 120_000;

/**
 * Attaches an engine (`sluice host`) to simulated boxes: real WebSocket servers in one other process, which answer and tell
 * telemetry as boxes do.
 * @throws SluiceError `unsupported` where use of processes can't be read; `timeout`; `cancelled`.
 */
export async function benchFleet(options: FleetBenchOptions): Promise<FleetBenchReport> {
  const { boxes, version, log, signal, workDir, seconds } = options;
  const machine = benchMachine();
  const folder = await RunFolder.make(workDir, 'bench-fleet');
  const simulated = fork(workerFile('bench-fleet-boxes'));
  let engine: ChildProcess | undefined;
  try {
    log(`starting ${boxes} boxes`);
    const urls = (await command(simulated, {
      kind: 'start',
      count: boxes,
      version,
      token: TOKEN,
    })) as string[];
    const env = await writeFleet(folder.path, urls);
    engine = spawn(process.execPath, [workerFile('cli'), 'host', '--port', '0', '--json'], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const url = await printedUrl('engine', engine);
    await until(signal, async () => (await counts(simulated)).connected === boxes);
    const pid = engine.pid ?? 0;
    log('without a console');
    const unwatched = await stretch(pid, seconds, signal, wait);
    const { watched, allBackMs } = await withConsole(options, url, pid, simulated);
    if (options.panel) log('the panel in a browser');
    const panel = options.panel ? await measurePanel(url, seconds, options.chromePath) : undefined;
    return { machine, boxes, seconds, unwatched, watched, allBackMs, ...(panel && { panel }) };
  } finally {
    if (engine) await ended(engine);
    await dismiss(simulated, 'simulated boxes', { kind: 'end' } satisfies BoxesCommand);
    await folder.remove();
  }
}

async function withConsole(
  { boxes, seconds, signal, log }: FleetBenchOptions,
  url: string,
  pid: number,
  simulated: ChildProcess,
): Promise<Pick<FleetBenchReport, 'watched' | 'allBackMs'>> {
  const client = await ConsoleClient.open(url);
  const isOnline = ({ state }: { readonly state: string }): boolean => state === 'online';
  for (const box of await client.request('fleet.list', {})) client.boxes.set(box.id, box);
  await until(signal, () => [...client.boxes.values()].every(({ figures }) => (figures?.cpuPct ?? NaN) >= 0));
  log('with a console');
  const before = new Map([...client.boxes].map(([id, { figures }]) => [id, figures]));
  client.eventsMs.length = 0;
  client.receivedBytes = 0;
  const tookMs: number[] = [];
  const use = await stretch(pid, seconds, signal, (ms) => askFor(client, ms, tookMs, signal));
  const toldBoxes = [...client.boxes].filter(([id, { figures }]) => figures !== before.get(id)).length;
  const figures = {
    ...use,
    eventsPerSec: client.eventsMs.length / seconds,
    bytesPerSec: client.receivedBytes / seconds,
    toldBoxes,
    requestMs: { p50: quantile(tookMs, 0.5), p99: quantile(tookMs, 0.99), worst: Math.max(...tookMs) },
  };
  log('all connections break');
  const brokenMs = systemClock.nowMs();
  await command(simulated, { kind: 'drop' });
  await until(signal, () => ![...client.boxes.values()].every(isOnline));
  await until(signal, () => client.boxes.size === boxes && [...client.boxes.values()].every(isOnline));
  const allBackMs = systemClock.nowMs() - brokenMs;
  await client.close();
  return { watched: figures, allBackMs };
}

async function stretch(
  pid: number,
  seconds: number,
  signal: AbortSignal,
  work: (ms: number, signal: AbortSignal) => Promise<void>,
): Promise<FleetStretch> {
  const [before, startMs] = [figuresOf(pid), systemClock.nowMs()];
  await work(seconds * 1000, signal);
  const [after, endMs] = [figuresOf(pid), systemClock.nowMs()];
  return {
    cpuPct: ((after.cpuMs - before.cpuMs) / (endMs - startMs)) * 100,
    rssBytes: after.rssBytes,
  };
}

async function askFor(
  client: ConsoleClient,
  ms: number,
  tookMs: number[],
  signal: AbortSignal,
): Promise<void> {
  const endMs = systemClock.nowMs() + ms;
  while (systemClock.nowMs() < endMs) {
    const askedMs = systemClock.nowMs();
    await client.request('budget.get', {});
    tookMs.push(systemClock.nowMs() - askedMs);
    await wait(ASK_EVERY_MS, signal);
  }
}

/** A fleet as a data folder remembers it, with its tokens beside. @returns the engine's environment. */
async function writeFleet(folder: string, urls: readonly string[]): Promise<NodeJS.ProcessEnv> {
  const dataDir = join(folder, 'engine');
  const tokensFile = join(folder, 'tokens.json');
  await mkdir(dataDir);
  const known = urls.map((url, at) => ({ id: randomUUID(), name: `box ${at}`, url, hasToken: true }));
  await writeFile(join(dataDir, 'fleet.json'), JSON.stringify(known));
  const tokens = Object.fromEntries(known.map(({ name }) => [name, TOKEN]));
  await writeFile(tokensFile, JSON.stringify(tokens));
  return { SLUICE_DATA_DIR: dataDir, SLUICE_FLEET_TOKENS_FILE: tokensFile };
}

function command(simulated: ChildProcess, message: BoxesCommand): Promise<unknown> {
  return tell(simulated, 'simulated boxes', message);
}

async function counts(simulated: ChildProcess): Promise<BoxCounts> {
  return (await command(simulated, { kind: 'counts' })) as BoxCounts;
}

async function until(signal: AbortSignal, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = systemClock.nowMs() + ALL_WITHIN_MS;
  while (!(await isSo())) {
    if (systemClock.nowMs() > endMs) throw new SluiceError('timeout', 'The boxes did not all come in time.');
    await wait(20, signal);
  }
}

function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(new SluiceError('cancelled', 'The bench was cancelled.'));
      return;
    }
    systemClock.after(ms, resolve);
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

/** @throws SluiceError `unsupported` where the system does not tell. */
function figuresOf(pid: number): ProcessFigures {
  const figures = processFigures(pid);
  if (figures !== undefined) return figures;
  throw new SluiceError('unsupported', `What process ${pid} uses can be read on Linux only.`, { pid });
}
