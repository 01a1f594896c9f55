import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';

import type { Command } from 'commander';

import { formatBytes } from '../../base';
import { SluiceError } from '../../contract';
import type { LabBenchOptions } from '../bench-lab';
import type { LayeringBenchReport } from '../bench-layering';
import type { OffloadBenchReport } from '../bench-offload';
import type { VericacheBenchOptions } from '../bench-vericache';
import { addSoakCommand } from './bench-soak';
import { cancellable } from './cancellable';
import { execute } from './context';
import type { CommandContext, Outcome } from './context';
import { addFleetBench } from './fleet-bench';
import { labText } from './lab-text';
import { liveRunText } from './live-run-text';
import { formatMs, table } from './table';
import { vericacheText } from './vericache-text';
import { countOf, listOf, ratioOf, wholeOf } from './option-values';

interface LayeringOptions {
  readonly networks?: readonly string[];
  readonly rounds?: number;
  readonly threads?: number;
  readonly workDir?: string;
}

type VericacheOptions = Partial<Omit<VericacheBenchOptions, 'log' | 'ratios'>> & {
  readonly ratio?: readonly number[];
};

interface ConsoleOptions {
  readonly only?: readonly string[];
  readonly spans?: number;
  readonly seconds?: number;
  readonly electron?: string;
  readonly rounds?: number;
  readonly idleSeconds?: number;
  readonly presses?: number;
}

interface LabOptions extends Pick<LabBenchOptions, 'writers' | 'rounds' | 'quick' | 'peer' | 'workDir'> {
  readonly seconds?: number;
}

interface OffloadOptions {
  readonly users?: readonly number[];
  readonly seeds?: number;
  readonly quick?: boolean;
  readonly threads?: number;
  readonly live: boolean;
  readonly liveOnly?: boolean;
  readonly workDir?: string;
}

/** `sluice bench ...`: the measurements the README quotes. Each is loaded only when it is asked for. */
export function addBenchCommands(program: Command): void {
  const bench = program.command('bench').description('measure this machine');
  addFleetBench(bench);
  bench
    .command('layering')
    .description('streamed networks against whole-model and memory-mapped ONNX Runtime')
    .option('--networks <ids>', 'of the zoo, separated by commas (default: the published seven)', listOf)
    .option('--rounds <n>', 'bursts of every side, in turn', countOf)
    .option('--threads <n>', 'compute threads', countOf)
    .option('--work-dir <dir>', 'where networks and stores are written, about 6 GB for all; kept')
    .action((options: LayeringOptions, command: Command) =>
      execute(command, (context) => cancellable(context, layering(context, options))),
    );
  bench
    .command('console')
    .description("the window from its start on, beside an empty one, and the timeline's frame rate")
    .option('--only <parts>', 'of timeline, app and loads, separated by commas (default: all)', listOf)
    .option('--spans <n>', 'of the made-up trace', countOf)
    .option('--seconds <n>', 'of scripted zoom and pan', countOf)
    .option('--electron <file>', 'whose window is measured (default: the installed one)')
    .option('--rounds <n>', 'starts of each side, in turn', countOf)
    .option('--idle-seconds <n>', 'that the idle window is watched', countOf)
    .option('--presses <n>', 'of keys, idle and busy', countOf)
    .action((options: ConsoleOptions, command: Command) =>
      execute(command, (context) => cancellable(context, consoleFrames(context, options))),
    );
  bench
    .command('vericache')
    .description(
      'exact text from a compressed cache, beside the full cache in memory and on SSD, and lossy text',
    )
    .option(
      '--only <parts>',
      'of rows, exactness and peers, separated by commas: a long run can be done in pieces (default: all)',
      listOf,
    )
    .option('--model <file>', 'a GGUF file or a model folder (default: SmolLM2 as the tests fetch it)')
    .option('--text <file>', "real text (default: this project's own prose)")
    .option(
      '--contexts <list>',
      'tokens of prompt and reply, separated by commas (default: 1024,4096,8192)',
      countsOf,
    )
    .option('--compressors <names>', 'separated by commas (default: all)', listOf)
    .option(
      '--ratio <list>',
      'compression of those that take one, separated by commas; VeriCache at each, all else at the first (default: 4,8)',
      ratiosOf,
    )
    .option('--draft-length <n>', 'tokens drafted a round (default: it adapts)', countOf)
    .option('--tokens <n>', 'that every side generates', countOf)
    .option(
      '--repeats <n>',
      'counted replies of every side, each about another passage; 0: one, cold',
      wholeOf,
    )
    .option('--prompts <n>', 'whose replies are compared token for token; 0 leaves that out', wholeOf)
    .option('--no-peer', 'without transformers.js, which is fetched for it (470 MB)')
    .option('--threads <n>', 'compute threads', countOf)
    .option('--work-dir <dir>', 'where caches are written, 1.5 GB at 8192 tokens; deleted afterwards')
    .action((options: VericacheOptions, command: Command) =>
      execute(command, (context) => cancellable(context, vericache(context, options))),
    );
  bench
    .command('offload')
    .description(
      'offload agents: in a live run of three processes, and against the exact oracle in simulation',
    )
    .option('--users <list>', 'numbers of users, separated by commas (default: 1,2,3,4,5)', countsOf)
    .option('--seeds <n>', 'seeds of every learned figure', countOf)
    .option('--threads <n>', 'worker threads', countOf)
    .option('--quick', 'a tenth of the training and short live rounds, for a look')
    .option('--no-live', 'simulated scenarios alone')
    .option('--live-only', 'the live run alone')
    .option('--work-dir <dir>', 'where the live run keeps its networks, about 100 MB')
    .action((options: OffloadOptions, command: Command) =>
      execute(command, (context) => cancellable(context, offload(context, options))),
    );
  bench
    .command('lab')
    .description("the lab's server: logging, kill -9, searches and idle memory, beside mlflow server")
    .option('--writers <n>', 'processes that log at once (default: 8)', countOf)
    .option('--seconds <n>', 'of each stretch of logging (default: 10)', countOf)
    .option('--rounds <n>', 'stretches of each side, in turn (default: 3)', countOf)
    .option('--quick', 'a tenth of it, for a look')
    .option('--no-peer', 'without mlflow server, which is installed for it (1 GB)')
    .option('--work-dir <dir>', 'where labs are made, 1 GB; deleted afterwards')
    .action((options: LabOptions, command: Command) =>
      execute(command, (context) => cancellable(context, lab(context, options))),
    );
  addSoakCommand(bench);
}

function countsOf(text: string): readonly number[] {
  return listOf(text).map(countOf);
}

function ratiosOf(text: string): readonly number[] {
  return listOf(text).map(ratioOf);
}

async function vericache({ log, appRoot }: CommandContext, options: VericacheOptions): Promise<Outcome> {
  const { benchVericache, benchModel, realText } = await import('../bench-vericache');
  const { model, text, ratio, workDir, ...rest } = options;
  const report = await benchVericache({
    ...rest,
    ...(ratio && { ratios: ratio }),
    model: benchModel(appRoot, model),
    text: text === undefined ? realText(appRoot) : await readFile(resolve(text), 'utf8'),
    ...(workDir !== undefined && { workDir: resolve(workDir) }),
    log,
  });
  return { json: report, text: vericacheText(report) };
}

async function lab({ log, appRoot }: CommandContext, options: LabOptions): Promise<Outcome> {
  const { benchLab } = await import('../bench-lab');
  const { seconds, workDir, ...rest } = options;
  const report = await benchLab({
    ...rest,
    ...(seconds !== undefined && { loadMs: seconds * 1000 }),
    ...(workDir !== undefined && { workDir: resolve(workDir) }),
    appRoot,
    log,
  });
  return { json: report, text: labText(report) };
}

async function layering({ log }: CommandContext, options: LayeringOptions): Promise<Outcome> {
  const { benchLayering } = await import('../bench-layering');
  const { workDir, ...rest } = options;
  const report = await benchLayering({
    ...rest,
    log,
    ...(workDir !== undefined && { workDir: resolve(workDir) }),
  });
  return { json: report, text: layeringText(report) };
}

async function offload({ log, signal }: CommandContext, options: OffloadOptions): Promise<Outcome> {
  const { live, liveOnly = false, workDir, ...rest } = options;
  if (liveOnly && !live) throw new SluiceError('bad-input', '--live-only and --no-live exclude each other.');
  const { benchOffload } = await import('../bench-offload');
  const report = await benchOffload({
    ...rest,
    live: liveOnly ? 'only' : live ? 'on' : 'off',
    ...(workDir !== undefined && { workDir: resolve(workDir) }),
    signal,
    log,
  });
  return { json: report, text: offloadText(report) };
}

function offloadText({ rows, convergence, live, bars }: OffloadBenchReport): string {
  const policies = table<OffloadBenchReport['rows'][number]>(
    [
      { title: 'users', text: ({ users }) => String(users), align: 'right' },
      { title: 'links', text: ({ links }) => links },
      { title: 'threshold', text: ({ threshold }) => threshold },
      { title: 'agent', text: ({ agent }) => agent },
      { title: 'response', text: ({ meanResponseMs }) => formatMs(meanResponseMs.median), align: 'right' },
      {
        title: 'accuracy',
        text: ({ meanAccuracyPct }) => `${meanAccuracyPct.median.toFixed(1)} %`,
        align: 'right',
      },
      {
        title: 'gap',
        text: ({ optimalityGapPct }) => `${optimalityGapPct.median.toFixed(1)} %`,
        align: 'right',
      },
    ],
    rows,
  );
  const steps = table<OffloadBenchReport['convergence'][number]>(
    [
      { title: 'users', text: ({ users }) => String(users), align: 'right' },
      { title: 'links', text: ({ links }) => links },
      { title: 'agent', text: ({ agent }) => agent },
      { title: 'real steps', text: ({ steps: count }) => String(count), align: 'right' },
      { title: 'to Q-learning', text: ({ ratioToQLearning }) => ratioToQLearning, align: 'right' },
      { title: 'to DQN', text: ({ ratioToDqn }) => ratioToDqn, align: 'right' },
    ],
    convergence,
  );
  const parts = [
    ...(rows.length > 0 ? [policies, steps] : []),
    ...(live ? [liveRunText(live)] : []),
    bars.map((bar) => JSON.stringify(bar)).join('\n'),
  ];
  return parts.join('\n\n');
}

async function consoleFrames({ log }: CommandContext, options: ConsoleOptions): Promise<Outcome> {
  const { benchConsole } = await import('../bench-console');
  const { only, electron, ...others } = options;
  const report = await benchConsole({
    ...others,
    log,
    ...(only && { parts: only }),
    ...(electron !== undefined && { electronPath: electron }),
  });
  const { machine, bars, app, ...timeline } = report;
  const figures = { ...machine, ...timeline, ...app, processes: undefined, loads: undefined };
  const rows = Object.entries(figures)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ({ name, value: String(value) }));
  for (const { role, count, idleCpuPct, memoryBytes } of app?.processes ?? []) {
    rows.push({
      name: `${role} (${count})`,
      value: `${formatBytes(memoryBytes)}, ${idleCpuPct} % of a core idle`,
    });
  }
  rows.push(
    ...bars.map(({ bar, target, value, met }) => ({
      name: bar,
      value: `${value} (${target}) ${met ? 'met' : 'NOT MET'}`,
    })),
  );
  const columns = [
    { title: 'figure', text: ({ name }: { name: string }) => name },
    { title: 'value', text: ({ value }: { value: string }) => value },
  ];
  return { json: report, text: table(columns, rows) };
}

type Row = LayeringBenchReport['rows'][number];

function layeringText({ rows, bars }: LayeringBenchReport): string {
  const figures = table<Row>(
    [
      { title: 'network', text: ({ network }) => network },
      { title: 'side', text: ({ side }) => side },
      {
        title: 'memory',
        text: ({ parameterMemoryBytes }) => formatBytes(parameterMemoryBytes),
        align: 'right',
      },
      { title: 'less', text: ({ reductionPct }) => `${reductionPct.toFixed(1)} %`, align: 'right' },
      { title: 'median', text: ({ medianMs }) => formatMs(medianMs), align: 'right' },
      { title: 'overhead', text: ({ overheadPct }) => `${overheadPct.toFixed(1)} %`, align: 'right' },
      { title: 'to limit', text: ({ limitRatio }) => limitRatio.toFixed(2), align: 'right' },
      {
        title: 'prediction off',
        text: ({ predictionErrorPct }) => `${predictionErrorPct.toFixed(1)} %`,
        align: 'right',
      },
      { title: 'equal', text: ({ outputsEqual, error }) => error ?? (outputsEqual ? 'yes' : 'no') },
    ],
    rows,
  );
  return `${figures}\n\n${bars.map((bar) => JSON.stringify(bar)).join('\n')}`;
}
