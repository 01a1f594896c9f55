import type { SluiceError } from '../../../contract';
import { LabDatabase } from '../../store/lab-database';
import { COMPETITIONS_SCHEMA, CompetitionStore } from '../competition-store';
import { Competitions } from '../competitions';
import type { CompetitionDefinition } from '../definition';
import type { TableText } from '../prediction-table';
import type { EvaluationRequest, InferenceRequest, SubmissionJobs } from '../submission-jobs';

export const DAY_MS = 86_400_000;
export const RUN = 'ab'.repeat(16);
const ROWS = 25;
export const definition = {
  name: 'digits',
  dataset: { name: 'digits', version: '3' },
  hiddenPath: 'hidden/answers.csv',
  evaluator: 'accuracy',
  submissionsPerDay: 3,
};

/** Models are right in as many rows as their checkpoint says. */
class FakeJobs implements SubmissionJobs {
  /** Of each submission: `predictions` and `log`. */
  readonly left = new Map<string, Set<string>>();
  readonly asked: InferenceRequest[] = [];
  readonly evaluated: EvaluationRequest[] = [];
  inferFault: Error | undefined;
  evaluateFault: Error | undefined;
  answers: TableText = {
    format: 'csv',
    text: `id,answer\n${Array.from({ length: ROWS }, (_, id) => `r${id},${id % 3}`).join('\n')}`,
  };

  check(asked: CompetitionDefinition): Promise<CompetitionDefinition> {
    return Promise.resolve(asked);
  }
  infer(request: InferenceRequest): Promise<TableText> {
    this.asked.push(request);
    this.left.set(request.key, new Set(['log']));
    if (this.inferFault) return Promise.reject(this.inferFault);
    this.left.get(request.key)?.add('predictions');
    const ids = request.onlyIds ?? Array.from({ length: ROWS }, (_, id) => `r${id}`);
    const right = Number(request.checkpoint);
    const lines = ids.map((id, row) => `${id},${row < right ? Number(id.slice(1)) % 3 : 9}`);
    return Promise.resolve({ format: 'csv', text: ['id,prediction', ...lines].join('\n') });
  }
  readAnswers(): Promise<TableText> {
    return Promise.resolve(this.answers);
  }
  evaluate(request: EvaluationRequest): Promise<number> {
    this.evaluated.push(request);
    return this.evaluateFault ? Promise.reject(this.evaluateFault) : Promise.resolve(0.25);
  }
  kept(): Promise<readonly number[]> {
    return Promise.resolve([...this.left.keys()].map((key) => Number(key.slice('submission-'.length))));
  }
  clear(key: string, what: 'predictions' | 'all'): Promise<number> {
    if (what === 'all') this.left.delete(key);
    else this.left.get(key)?.delete('predictions');
    return Promise.resolve(1);
  }
}

export function makeLab(startMs = 1000 * DAY_MS): {
  now: { ms: number };
  jobs: FakeJobs;
  faults: SluiceError[];
  competitions: Competitions;
  reopen: () => Competitions;
} {
  const now = { ms: startMs };
  const jobs = new FakeJobs();
  const faults: SluiceError[] = [];
  const store = new CompetitionStore(LabDatabase.open(':memory:', [COMPETITIONS_SCHEMA]));
  const clock = { nowMs: () => now.ms, after: () => () => undefined };
  const reopen = (): Competitions =>
    new Competitions({ store, jobs, clock, onFault: (error) => faults.push(error) });
  return { now, jobs, faults, competitions: reopen(), reopen };
}

export const by = (user: string, right: number, isDryRun = false): Parameters<Competitions['submit']>[0] => ({
  competition: 'digits',
  user,
  runId: RUN,
  checkpoint: String(right),
  isDryRun,
});
