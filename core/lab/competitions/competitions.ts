import type { Clock } from '../../base';
import { SluiceError, type ErrorCode } from '../../contract';
import { rankBoard, type OwnBoardRow } from './board';
import type { Competition, CompetitionStore, NewSubmission, Submission } from './competition-store';
import { parseDefinition } from './definition';
import { evaluatorNamed } from './evaluators/registry';
import { answerIds, scorePredictions } from './score-predictions';
import type { SubmissionJobs } from './submission-jobs';
import type { TableText } from './prediction-table';

const DAY_MS = 86_400_000;
/** For whoever wants to see why a submission was scored so. */
const KEPT_MS = 7 * DAY_MS;
const JOB_KEY = /^submission-(\d+)(?:-score)?$/;
const DRY_RUN_ROWS = 10;
/** What a submission can be blamed for. */
const OWN_FAULTS: ReadonlySet<ErrorCode> = new Set(['bad-input', 'not-found', 'runtime', 'timeout']);

export interface CompetitionsOptions {
  readonly store: CompetitionStore;
  readonly jobs: SubmissionJobs;
  readonly clock: Clock;
  /** Told what went wrong on the lab's side, with what users are not shown. */
  readonly onFault: (error: SluiceError) => void;
}

/**
 * The rules of competitions: who may submit when, and what becomes of it. A submission that was taken outlives the
 * process; `start` goes on with it.
 */
export class Competitions {
  private readonly working = new Map<number, Promise<void>>();
  private tidying: Promise<unknown> = Promise.resolve();
  private isOpen = true;
  /** Messages about definitions that can't be read: each is told once, however often they are listed. */
  private readonly toldDamaged = new Set<string>();

  constructor(private readonly options: CompetitionsOptions) {}

  /** Goes on with what an earlier process had not ended. */
  start(): void {
    for (const submission of this.options.store.open()) this.work(submission);
    this.tidy();
  }

  /** Takes no more; jobs go on, and what comes of them is taken up by the next `start`. */
  close(): void {
    this.isOpen = false;
  }

  /** Resolves when no submission is being worked on. */
  async settled(): Promise<void> {
    while (this.working.size > 0) await Promise.all(this.working.values());
    await this.tidying;
  }

  /** @throws SluiceError `bad-input` naming every fault, `conflict`, and as `SubmissionJobs.check`. */
  async create(json: unknown, owner: string): Promise<Competition> {
    const asked = parseDefinition(json);
    const nowMs = this.options.clock.nowMs();
    if (asked.deadlineMs !== undefined && asked.deadlineMs <= nowMs) {
      throw new SluiceError(
        'bad-input',
        `deadline: expected a time to come, found ${timeOf(asked.deadlineMs)}.`,
      );
    }
    const definition = await this.options.jobs.check(asked, owner);
    this.options.store.addCompetition(definition, owner, nowMs);
    return this.get(definition.name);
  }

  /** The newest first. */
  list(): readonly Competition[] {
    return this.options.store.competitions((error) => {
      if (this.toldDamaged.has(error.message)) return;
      this.toldDamaged.add(error.message);
      this.options.onFault(error);
    });
  }

  /** @throws SluiceError `not-found`. */
  get(name: string): Competition {
    return this.options.store.competition(name);
  }

  /**
   * Takes a submission; it is worked on meanwhile. A dry run is of the first 10 rows of the answers, always the same,
   * so that more of them tell no more; it is not ranked and does not count.
   * @throws SluiceError `not-found`, `conflict` (after the deadline, or the day's submissions are used; details:
   * retryAfterSec).
   */
  submit(submission: NewSubmission): Submission {
    const { store, clock } = this.options;
    const { deadlineMs, submissionsPerDay } = this.get(submission.competition);
    const nowMs = clock.nowMs();
    if (deadlineMs !== undefined && nowMs > deadlineMs) {
      const message = `"${submission.competition}" ended at ${timeOf(deadlineMs)}; it takes no more submissions.`;
      throw new SluiceError('conflict', message, { errorCode: 'INVALID_STATE' });
    }
    const day = Math.floor(nowMs / DAY_MS);
    const taken = store.addWithin(submissionsPerDay, submission, day, nowMs);
    if (!taken) throw tooMany(submissionsPerDay, day, nowMs);
    this.work(taken);
    return taken;
  }

  /** How many more a user may submit before the next day (UTC) begins. */
  leftToday(name: string, user: string): number {
    const { store, clock } = this.options;
    const { submissionsPerDay } = this.get(name);
    return Math.max(0, submissionsPerDay - store.countOf(name, user, Math.floor(clock.nowMs() / DAY_MS)));
  }

  /** @param user whose row tells the run; others' are nobody's business. @throws SluiceError `not-found`. */
  board(name: string, user?: string): readonly OwnBoardRow[] {
    const { store } = this.options;
    const { metric } = this.get(name);
    const scored = store.scored(name);
    return rankBoard(scored, metric.direction).map((row) => {
      if (row.user !== user) return row;
      const reached = scored.filter(
        (one) => one.user === user && one.score === row.score && one.submittedMs === row.submittedMs,
      );
      return { ...row, runId: store.submission(Math.min(...reached.map(({ id }) => id))).runId };
    });
  }

  /** What one user submitted, failed ones and dry runs too; the newest first. @throws SluiceError `not-found`. */
  history(name: string, user: string): readonly Submission[] {
    this.get(name);
    return this.options.store.history(name, user);
  }

  /** Whether a job is of a submission that is not over. */
  hasJob(key: string): boolean {
    const [, text] = JOB_KEY.exec(key) ?? [];
    if (text === undefined) return false;
    const id = Number(text);
    const submission = this.options.store.find(id);
    return this.working.has(id) || (submission !== undefined && submission.endedMs === undefined);
  }

  /**
   * Removes what submissions left that nobody looks at any more: all of it a week after their end, predictions also when
   * a later one of the same user was scored. @returns bytes freed. @throws SluiceError `io`.
   */
  async prune(): Promise<number> {
    const { store, jobs, clock } = this.options;
    const nowMs = clock.nowMs();
    let freedBytes = 0;
    for (const id of await jobs.kept()) {
      if (!this.isOpen) break;
      const submission = store.find(id);
      if (this.working.has(id) || (submission && submission.endedMs === undefined)) continue;
      const endedMs = submission?.endedMs ?? -Infinity;
      const isOld = nowMs - endedMs >= KEPT_MS;
      if (isOld) freedBytes += await jobs.clear(keyOf(id), 'all');
      else if (submission && (submission.isDryRun || store.hasLaterScored(submission)))
        freedBytes += await jobs.clear(keyOf(id), 'predictions');
    }
    return freedBytes;
  }

  private work(submission: Submission): void {
    const { id } = submission;
    if (!this.isOpen || this.working.has(id)) return;
    const work = this.scoreOf(submission)
      .then((score) => this.end(id, score))
      .catch((thrown: unknown) => this.fail(id, SluiceError.from(thrown)))
      // The store itself failed: the next start tries again.
      .catch((thrown: unknown) => this.options.onFault(SluiceError.from(thrown, 'io')))
      .finally(() => {
        this.working.delete(id);
        this.tidy();
      });
    this.working.set(id, work);
  }

  /** What can't be removed now is tried again after the next one. */
  private tidy(): void {
    this.tidying = this.tidying
      .then(() => this.prune())
      .catch((thrown: unknown) => this.options.onFault(SluiceError.from(thrown, 'io')));
  }

  private async scoreOf(submission: Submission): Promise<number> {
    const { id, competition: name, user, runId, checkpoint, isDryRun } = submission;
    const { store, jobs } = this.options;
    const competition = store.competition(name);
    const key = keyOf(id);
    const onlyIds = isDryRun
      ? answerIds(await this.answersOf(competition)).slice(0, DRY_RUN_ROWS)
      : undefined;
    if (this.isOpen) store.setState(id, 'inferring');
    const predictions = await jobs.infer({ key, competition, user, runId, checkpoint, onlyIds });
    if (this.isOpen) store.setState(id, 'scoring');
    const { evaluator } = competition;
    if ('command' in evaluator) {
      const { command } = evaluator;
      return this.evaluate(() => jobs.evaluate({ key, competition, command, predictions, onlyIds }));
    }
    const builtIn = evaluatorNamed(evaluator.builtIn);
    if (!builtIn) {
      const message = `This Sluice has no evaluator "${evaluator.builtIn}". A newer one made the competition: use that.`;
      throw new SluiceError('unsupported', message);
    }
    const answers = await this.answersOf(competition);
    return scorePredictions(builtIn, answers, predictions, onlyIds);
  }

  private async answersOf(competition: Competition): Promise<TableText> {
    try {
      return await this.options.jobs.readAnswers(competition);
    } catch (cause) {
      const message = 'The answers of this competition can not be read. Tell whoever created it.';
      throw new SluiceError('io', message, {}, { cause });
    }
  }

  private async evaluate(run: () => Promise<number>): Promise<number> {
    try {
      return await run();
    } catch (cause) {
      if (cause instanceof SluiceError && cause.code === 'bad-input') throw cause;
      const message = 'The evaluator of this competition failed. Tell whoever created it.';
      throw new SluiceError('internal', message, {}, { cause });
    }
  }

  private end(id: number, score: number): void {
    if (!this.isOpen) return;
    if (!Number.isFinite(score)) {
      throw new SluiceError(
        'internal',
        `The evaluator gave ${score} instead of a score. Tell whoever created the competition.`,
      );
    }
    this.options.store.setScore(id, score, this.options.clock.nowMs());
  }

  private fail(id: number, error: SluiceError): void {
    if (!this.isOpen) return;
    const isOwn = OWN_FAULTS.has(error.code);
    if (!isOwn) this.options.onFault(error);
    this.options.store.setFailed(id, error.message, isOwn, this.options.clock.nowMs());
  }
}

function keyOf(id: number): string {
  return `submission-${id}`;
}

function tooMany(most: number, day: number, nowMs: number): SluiceError {
  const nextMs = (day + 1) * DAY_MS;
  // Not `overloaded`: clients try that again at once.
  return new SluiceError(
    'conflict',
    `${most} submissions a day are taken of each user, and these are used. The next day begins at ${timeOf(nextMs)}; a dry run does not count.`,
    { errorCode: 'REQUEST_LIMIT_EXCEEDED', retryAfterSec: Math.ceil((nextMs - nowMs) / 1000) },
  );
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
