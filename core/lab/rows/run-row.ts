import type { LabRunRow, LabRunState } from '../../contract';
import type { JobView } from '../jobs/queue/job-ledger';
import type { RunStage } from '../runs/run-store';
import { standingOf, type Standing } from '../runs/run-statuses';
import type { KeptRun } from '../runs/run-types';
import type { KeyValue, Metric, RunStatus } from '../tracking/tracking-types';

/** `LabRunRow` as JSON: it has no number for NaN and the infinities, which are texts. */
export interface RunRowJson extends Omit<LabRunRow, 'metrics'> {
  readonly metrics: Readonly<Record<string, number | string>>;
}

/** What the tables say of a run and of what was launched; null where there is nothing. */
export type StoredRow = [
  number: number,
  runId: string,
  name: string,
  userId: string,
  experiment: string,
  status: RunStatus,
  startMs: number | null,
  endMs: number | null,
  search: string | null,
  launchedName: string | null,
  launchedUser: string | null,
  stage: RunStage | null,
  reason: string | null,
  attempt: number | null,
  createdMs: number | null,
  plan: string | null,
  step: JobView['step'] | null,
  state: JobView['state'] | null,
  startedMs: number | null,
  endedMs: number | null,
  exitCode: number | null,
  signal: string | null,
  jobReason: string | null,
  node: string | null,
  idleSinceMs: number | null,
];

/** In the order of `StoredRow`. */
export const ROW_COLUMNS =
  'r.number, r.run_id, r.name, r.user_id, e.name, r.status, r.start_ms, r.end_ms, ' +
  '(SELECT search FROM trials_runs t WHERE t.run_id = r.run_id LIMIT 1), ' +
  'l.name, l.user, l.stage, l.reason, l.attempt, l.created_ms, l.plan, ' +
  'j.step, j.state, j.started_ms, j.ended_ms, j.exit_code, j.signal, j.reason, j.node, j.idle_since_ms';
export const ROW_TABLES =
  'tracking_runs r JOIN tracking_experiments e ON e.id = r.experiment ' +
  'LEFT JOIN runs_launched l ON l.run_id = r.run_id ' +
  "LEFT JOIN jobs_all j ON j.key = l.run_id || '-' || l.attempt";

/** What was logged to a run. */
export interface Logged {
  readonly params: readonly KeyValue[];
  readonly tags: readonly KeyValue[];
  readonly metrics: readonly Metric[];
}

/** Tags of clients and of the lab itself. */
const OWN_TAG = /^(?:mlflow|sluice)\./;
const PROGRAM_TAG = 'mlflow.source.name';
const USER_TAG = 'mlflow.user';

const LOGGED_STATES: Readonly<Record<RunStatus, LabRunState>> = {
  RUNNING: 'logged',
  SCHEDULED: 'logged',
  FINISHED: 'succeeded',
  FAILED: 'failed',
  KILLED: 'stopped',
};

/** @param jobOf a job that has not ended, as the queue sees it. */
export function rowOf(
  row: StoredRow,
  logged: Logged,
  jobOf: (runId: string, attempt: number) => JobView | undefined,
): RunRowJson {
  const [, runId, name, userId, experiment, status, startMs, endMs, search] = row;
  const { params, tags, metrics } = logged;
  const common = {
    runId,
    name,
    experiment,
    ...(search !== null && { search }),
    params: recordOf(params),
    tags: recordOf(tags.filter(({ key }) => !OWN_TAG.test(key))),
    metrics: Object.fromEntries(metrics.map(({ key, value }) => [key, doubleOf(value)])),
  };
  const launched = launchedOf(row, jobOf);
  if (launched) return { ...common, ...launched, isLaunched: true };
  const program = tags.find(({ key }) => key === PROGRAM_TAG)?.value;
  return {
    ...common,
    user: userId || (tags.find(({ key }) => key === USER_TAG)?.value ?? ''),
    state: LOGGED_STATES[status],
    isLaunched: false,
    createdMs: startMs ?? endMs ?? 0,
    ...(startMs !== null && { startedMs: startMs }),
    ...(endMs !== null && { endedMs: endMs }),
    ...(program !== undefined && { program }),
  };
}

type LaunchedPart = Omit<
  RunRowJson,
  'runId' | 'experiment' | 'search' | 'params' | 'tags' | 'metrics' | 'isLaunched'
>;

function launchedOf(
  row: StoredRow,
  jobOf: (runId: string, attempt: number) => JobView | undefined,
): LaunchedPart | undefined {
  const [, runId, , , , , , , , name, user, stage, reason, attempt, createdMs, planText] = row;
  if (name === null || user === null || stage === null || attempt === null || createdMs === null) return;
  // Checked when it was written.
  const plan = JSON.parse(planText ?? '{}') as KeptRun;
  const job = row[16] === null || row[16] === 'ended' ? endedJobOf(row) : jobOf(runId, attempt);
  const { dataset, parent } = plan;
  return {
    name,
    user,
    createdMs,
    attempt,
    program: [plan.entry, ...plan.args].join(' '),
    engine: plan.engine,
    ...(dataset && { dataset: `${dataset.name}@${dataset.number}` }),
    ...(parent && { parent: parent.name }),
    ...given(standingOf({ stage, reason: reason ?? undefined, createdMs }, job)),
  };
}

function endedJobOf(row: StoredRow): Standing | undefined {
  const [state, startedMs, endedMs, exitCode, signal, reason, node, idleSinceMs] = row.slice(17) as [
    Standing['state'] | null,
    number | null,
    number | null,
    number | null,
    string | null,
    string | null,
    string | null,
    number | null,
  ];
  if (state === null) return undefined;
  return {
    state,
    startedMs: startedMs ?? undefined,
    endedMs: endedMs ?? undefined,
    exitCode: exitCode ?? undefined,
    signal: signal ?? undefined,
    reason: reason ?? undefined,
    node: node ?? undefined,
    idleSinceMs: idleSinceMs ?? undefined,
  };
}

type Given<T> = { readonly [K in keyof T]: Exclude<T[K], undefined> };

/** Without what is undefined. */
export function given<T extends object>(facts: T): Given<T> {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)) as Given<T>;
}

function recordOf(pairs: readonly KeyValue[]): Record<string, string> {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, value]));
}

function doubleOf(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}
