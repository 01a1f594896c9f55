import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';

import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';

import { engineClockMs } from '../../base';
import { SluiceError } from '../../contract';
import type { VariantRecord } from '../../contract';
import { AGENT_NAMES, createAgent, decodeCheckpoint, systemOf } from '../../offload';
import type { Agent, Scenario, System } from '../../offload';
import { builtInScenario, LINK_SCENARIO_NAMES, linkScenarioOf, parseScenario } from '../../offload';
import { ioError } from '../../storage';
import { decideOnce } from '../offload/decide-once';
import { replayLog } from '../offload/replay-log';
import { trainAgent } from '../offload/train-agent';
import { execute, onCancel } from './context';
import type { CommandContext, Outcome } from './context';
import { formatMs, table } from './table';
import { countOf } from './option-values';

interface ScenarioOptions {
  readonly scenario?: string;
  readonly users: number;
  readonly links: string;
  readonly background: 'varying' | 'steady';
  readonly agent: string;
  readonly threshold: number;
  readonly seed: number;
}

interface TrainOptions extends ScenarioOptions {
  readonly steps: number;
  readonly checkpoint?: string;
  readonly resume?: string;
  readonly log?: string;
  readonly explorationCap?: number;
}

interface DecideOptions extends ScenarioOptions {
  readonly checkpoint: string;
  readonly pin: readonly string[];
  readonly down: readonly string[];
}

interface ReplayOptions extends ScenarioOptions {
  readonly log: string;
  readonly checkpoint?: string;
  readonly explorationCap?: number;
}

/** `sluice offload ...`: who answers each request, learned on a simulated scenario. */
export function addOffloadCommands(program: Command): void {
  const offload = program.command('offload').description('decide where each inference runs, and learn it');
  withScenario(offload.command('train'))
    .description('train an agent on a simulated scenario')
    .option('--steps <n>', 'real steps', countOf, 1000)
    .option('--checkpoint <file>', 'where to save what was learned')
    .option('--resume <file>', 'a checkpoint to go on from, also of another number of users')
    .option('--log <file>', 'keep every decision and its outcome in a SQLite file')
    .option('--exploration-cap <share>', 'largest share of decisions that explore, 0 to 1', shareOf)
    .action((options: TrainOptions, command: Command) =>
      execute(command, (context) => train(context, options)),
    );
  withScenario(offload.command('decide'))
    .description('one explained decision of a trained agent')
    .requiredOption('--checkpoint <file>', 'what it learned')
    .option('--pin <user=choice>', 'give a user a tier and variant, as in 0=edge:d4; repeatable', collect, [])
    .option(
      '--down <tier>',
      'an endpoint that does not answer: device, edge or cloud; repeatable',
      collect,
      [],
    )
    .action((options: DecideOptions, command: Command) => execute(command, () => decide(options)));
  withScenario(offload.command('replay'))
    .description('decide the states of a log again')
    .requiredOption('--log <file>', "as written by train --log, or a deployment's offload/decisions.db")
    .option('--checkpoint <file>', 'start from this instead of untrained')
    .option('--exploration-cap <share>', 'as given to train', shareOf)
    .action((options: ReplayOptions, command: Command) => execute(command, () => replay(options)));
  offload
    .command('install-example')
    .description("import MobileNetV1's eight variants and register them: what the console's example does")
    .action((_options: unknown, command: Command) => execute(command, installExample));
}

/** An edge or cloud box needs them under the same names, too. */
async function installExample({ services, signal, log }: CommandContext): Promise<Outcome> {
  const { deployment, jobs, bus } = await services();
  const jobId = 'install-example';
  const unfollow = bus.subscribe((message) => {
    if (message.event === 'job') log(message.payload.phase);
  });
  onCancel(signal, () => jobs.cancel(jobId));
  try {
    const { variants } = await deployment.installExample(jobId);
    const columns = [
      { title: 'id', text: ({ id }: VariantRecord) => id },
      { title: 'model', text: ({ model }: VariantRecord) => model },
      { title: 'accuracy', text: ({ accuracyPct }: VariantRecord) => `${accuracyPct.toFixed(1)} %` },
    ];
    return { json: variants, text: table(columns, variants) };
  } finally {
    unfollow();
  }
}

function withScenario(command: Command): Command {
  return command
    .option('--scenario <file>', 'a scenario as JSON (default: a built-in one)')
    .option('--users <n>', 'of the built-in scenario', countOf, 3)
    .option('--links <name>', `of the built-in scenario: ${LINK_SCENARIO_NAMES.join(', ')}`, 'A')
    .addOption(
      new Option('--background <kind>', 'load by others in the built-in scenario')
        .choices(['varying', 'steady'])
        .default('varying'),
    )
    .addOption(new Option('--agent <name>', 'who decides').choices(AGENT_NAMES).default('factored'))
    .option('--threshold <pct>', 'least mean accuracy, percent', percentOf, 89)
    .option('--seed <n>', 'of the scenario and the agent', countOf, 1);
}

async function train({ signal, log }: CommandContext, options: TrainOptions): Promise<Outcome> {
  const scenario = await scenarioOf(options);
  const system = systemOf(scenario);
  const agent =
    options.resume === undefined
      ? createAgent(options.agent, system, options.seed)
      : await checkpointOf(options.resume, system, options.seed);
  const report = await trainAgent(scenario, agent, {
    steps: options.steps,
    thresholdPct: options.threshold,
    seed: options.seed,
    signal,
    progress: log,
    ...(options.checkpoint !== undefined && { checkpointPath: resolve(options.checkpoint) }),
    ...(options.log !== undefined && { logPath: resolve(options.log) }),
    ...(options.explorationCap !== undefined && { explorationCap: options.explorationCap }),
  });
  return { json: report, text: figures(report) };
}

async function decide(options: DecideOptions): Promise<Outcome> {
  const scenario = await scenarioOf(options);
  const agent = await checkpointOf(options.checkpoint, systemOf(scenario), options.seed);
  const report = decideOnce(scenario, agent, {
    thresholdPct: options.threshold,
    seed: options.seed,
    pins: options.pin,
    down: options.down,
    clockMs: engineClockMs,
  });
  const shown = report.candidates.slice().sort((a, b) => a.user - b.user);
  const candidates = table(
    [
      { title: 'user', text: ({ user }) => String(user), align: 'right' },
      { title: 'choice', text: ({ choice, chosen }) => `${chosen ? '* ' : '  '}${choice}` },
      {
        title: 'mean predicted',
        text: ({ predictedMeanMs }) => (predictedMeanMs === undefined ? '-' : formatMs(predictedMeanMs)),
        align: 'right',
      },
      { title: 'accuracy', text: ({ meanAccuracyPct }) => `${meanAccuracyPct.toFixed(2)} %`, align: 'right' },
      { title: 'barred', text: ({ barred }) => barred ?? '' },
    ],
    shown,
  );
  const { candidates: _listed, ...summary } = report;
  return { json: report, text: `${figures(summary)}\n\n${candidates}` };
}

async function replay(options: ReplayOptions): Promise<Outcome> {
  const { checkpoint, agent, seed, explorationCap } = options;
  const report = await replayLog(
    (system) =>
      checkpoint === undefined ? createAgent(agent, system, seed) : checkpointOf(checkpoint, system, seed),
    systemOf(await scenarioOf(options)),
    {
      logPath: resolve(options.log),
      thresholdPct: options.threshold,
      clockMs: engineClockMs,
      ...(explorationCap !== undefined && { explorationCap }),
    },
  );
  return { json: report, text: figures(report) };
}

async function scenarioOf({ scenario, users, links, background }: ScenarioOptions): Promise<Scenario> {
  if (scenario === undefined) return builtInScenario({ users, links: linkScenarioOf(links), background });
  const path = resolve(scenario);
  return parseScenario(await textOf(path), path);
}

async function checkpointOf(file: string, system: System, seed: number): Promise<Agent> {
  const path = resolve(file);
  return decodeCheckpoint(await textOf(path), path, system, seed);
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new SluiceError('not-found', `There is no file ${path}.`, { path }, { cause });
    }
    throw ioError(`Can't read ${path}`, cause);
  }
}

function figures(report: object): string {
  const rows = Object.entries(report).map(([name, value]) => ({
    name,
    value: Array.isArray(value) ? value.join(', ') : String(value),
  }));
  return table(
    [
      { title: 'figure', text: ({ name }) => name },
      { title: 'value', text: ({ value }) => value },
    ],
    rows,
  );
}

function collect(value: string, earlier: readonly string[]): readonly string[] {
  return [...earlier, value];
}

function percentOf(text: string): number {
  const value = Number(text);
  if (value >= 0 && value <= 100) return value;
  throw new InvalidArgumentError('Expected a percentage from 0 to 100.');
}

function shareOf(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError('Expected a share from 0 to 1.');
}
