import type { ShownSubmission } from '../../commands/lab/competition-text';
import type { ShownRun } from '../shown-run';
import { CaseUser, type Board } from './case-user';
import { deployWinner, type DeploymentReport } from './deploy-winner';
import { layOutExample, type ExampleOptions } from './start-example';

interface Contest {
  readonly competition: string;
  readonly entry: string;
  /** What the program logs. */
  readonly metric: string;
  /** What Ben's fork is told otherwise. */
  readonly forkArgs: readonly string[];
  /** What Cem runs it with; absent: what the search finds. */
  readonly ownArgs?: readonly string[];
}

const CONTESTS: readonly Contest[] = [
  {
    competition: 'box-state',
    entry: 'state.mjs',
    metric: 'val_accuracy',
    forkArgs: ['--epochs', '30', '--lr', '0.003'],
  },
  {
    competition: 'box-heat',
    entry: 'heat.mjs',
    metric: 'val_rmse',
    forkArgs: ['--epochs', '30', '--lr', '0.0005'],
    ownArgs: ['--hidden', '32', '--lr', '0.03'],
  },
  {
    competition: 'box-events',
    entry: 'events.mjs',
    metric: 'val_token_accuracy',
    forkArgs: ['--epochs', '12', '--lr', '0.005'],
    ownArgs: ['--hidden', '32', '--context', '12', '--lr', '0.1'],
  },
];
/** As many as the program trains for when it is not told otherwise. */
const EPOCHS = 20;
const SEARCH = {
  space: {
    hidden: { type: 'choice', values: [4, 8, 16, 32] },
    lr: { type: 'float', min: 0.002, max: 0.1, scale: 'log' },
    decay: { type: 'float', min: 0.00001, max: 0.01, scale: 'log' },
  },
  metric: { name: 'val_accuracy', direction: 'max' },
  algorithm: { name: 'asha', eta: 3 },
  maxResource: 9,
  maxTrials: 10,
  budget: 90,
  parallel: 2,
  seed: 1,
};
const MODEL = 'box-state';

export interface CaseRun {
  readonly name: string;
  readonly user: string;
  readonly what: 'default' | 'fork' | 'own' | 'found';
  readonly program: string;
  readonly metric: string;
  readonly value: number;
}

export interface CaseReport {
  readonly runs: readonly CaseRun[];
  readonly search: {
    readonly id: string;
    readonly algorithm: string;
    readonly trials: number;
    readonly spentEpochs: number;
    readonly parameters: Readonly<Record<string, string | number | boolean>>;
  };
  readonly submissions: readonly Pick<
    ShownSubmission,
    'id' | 'competition' | 'user' | 'isDryRun' | 'score'
  >[];
  readonly boards: Readonly<Record<string, Board>>;
  readonly served: DeploymentReport;
}

export interface CaseOptions extends ExampleOptions {
  readonly signal: AbortSignal;
  readonly log: (message: string) => void;
}

/**
 * The case of the NSML paper (Sung et al. 2017) in small: three competitions on one dataset, three users, of whom one
 * takes the programs as they are, one forks those runs, and one searches; the best model is registered, published and asked.
 * @throws SluiceError what a step of it fails with.
 */
export async function runWholeCase(options: CaseOptions): Promise<CaseReport> {
  const { api, signal, log } = options;
  const programs = await layOutExample(options);
  const [ann, ben, cem] = ['ann', 'ben', 'cem'].map((name) => new CaseUser(api, name, programs, signal));
  const everybody = { ann: ann!, ben: ben!, cem: cem! };
  const contests = await Promise.all(CONTESTS.map((contest) => contend(contest, everybody, log)));
  const { search, winner } = await searchFor(everybody.cem, log);
  const dryRun = await everybody.cem.submit(winner.run, MODEL, true);
  const submissions = [
    ...contests.flatMap((contest) => contest.submissions),
    dryRun,
    await everybody.cem.submit(winner.run, MODEL),
  ];
  const boards: Record<string, Board> = {};
  for (const { competition } of CONTESTS) boards[competition] = await everybody.ann.board(competition);
  return {
    runs: [...contests.flatMap(({ runs }) => runs), winner.shown],
    search,
    submissions: submissions.map(({ id, competition, user, isDryRun, score }) => ({
      id,
      competition,
      user,
      isDryRun,
      score,
    })),
    boards,
    served: await deployWinner(everybody.cem, {
      ...options,
      programs,
      model: MODEL,
      before: contests[0]!.first,
      winner: winner.run,
      checkpoint: `checkpoints/${EPOCHS}.json`,
    }),
  };
}

type Everybody = Readonly<Record<'ann' | 'ben' | 'cem', CaseUser>>;

/** Ann's run of a program as it is, Ben's fork of it, one of Cem with other arguments, and what they submit. */
async function contend(
  { competition, entry, metric, forkArgs, ownArgs }: Contest,
  { ann, ben, cem }: Everybody,
  log: CaseOptions['log'],
): Promise<{
  readonly first: ShownRun;
  readonly runs: readonly CaseRun[];
  readonly submissions: readonly ShownSubmission[];
}> {
  const submissions: ShownSubmission[] = [];
  const runs: CaseRun[] = [];
  const submit = async (user: CaseUser, run: ShownRun, what: CaseRun['what']): Promise<void> => {
    runs.push(await shown(user, run, what, metric));
    const submission = await user.submit(run, competition);
    submissions.push(submission);
    log(`${competition}: ${user.name} scores ${(submission.score ?? NaN).toFixed(4)}`);
  };
  const first = await ann.run(entry, []);
  log(`${first.name}: ${entry} as it is`);
  const fork = await ben.fork(first, forkArgs);
  log(`${fork.name}: forked from its last checkpoint with ${forkArgs.join(' ')}`);
  await submit(ann, first, 'default');
  await submit(ben, fork, 'fork');
  if (ownArgs) await submit(cem, await cem.run(entry, ownArgs), 'own');
  return { first, runs, submissions };
}

/** Cem's search, and a run of what it found for as long as the default's. */
async function searchFor(
  cem: CaseUser,
  log: CaseOptions['log'],
): Promise<{ search: CaseReport['search']; winner: { run: ShownRun; shown: CaseRun } }> {
  const { id, best, trialCount, spentResource } = await cem.search('state.mjs', SEARCH);
  const parameters = best?.parameters ?? {};
  log(`${id}: ${trialCount} trials, ${spentResource} epochs; best: ${JSON.stringify(parameters)}`);
  const args = Object.entries(parameters).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const run = await cem.run('state.mjs', [...args, '--epochs', String(EPOCHS)]);
  log(`${run.name}: with the parameters that the search found`);
  return {
    search: {
      id,
      algorithm: SEARCH.algorithm.name,
      trials: trialCount,
      spentEpochs: spentResource,
      parameters,
    },
    winner: { run, shown: await shown(cem, run, 'found', 'val_accuracy') },
  };
}

async function shown(user: CaseUser, run: ShownRun, what: CaseRun['what'], metric: string): Promise<CaseRun> {
  const { name, entry } = run;
  return { name, user: user.name, what, program: entry, metric, value: await user.metric(run, metric) };
}
