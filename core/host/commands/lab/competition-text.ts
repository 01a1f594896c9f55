import { z } from 'zod';

import { table } from '../table';

const metricSchema = z.object({ name: z.string(), direction: z.enum(['max', 'min']) });

/** Of a competition's JSON, what commands look at; the rest is passed on. */
export const competitionSchema = z.looseObject({
  name: z.string(),
  title: z.string(),
  description: z.string(),
  owner: z.string(),
  dataset: z.object({ name: z.string(), version: z.string() }),
  testPath: z.string(),
  inference: z.looseObject({ args: z.array(z.string()) }),
  metric: metricSchema,
  submissionsPerDay: z.number(),
  deadlineMs: z.number().optional(),
  leftToday: z.number().optional(),
});
type ShownCompetition = z.infer<typeof competitionSchema>;

export const submissionSchema = z.looseObject({
  id: z.number(),
  competition: z.string(),
  user: z.string(),
  runId: z.string(),
  checkpoint: z.string().optional(),
  isDryRun: z.boolean(),
  state: z.string(),
  score: z.number().optional(),
  error: z.string().optional(),
  submittedMs: z.number(),
  endedMs: z.number().optional(),
});
export type ShownSubmission = z.infer<typeof submissionSchema>;

const rowSchema = z.object({
  rank: z.number(),
  user: z.string(),
  score: z.number(),
  submittedMs: z.number(),
  submissions: z.number(),
});
export const boardSchema = z.object({ metric: metricSchema, rows: z.array(rowSchema) });

export function boardTable({ metric, rows }: z.infer<typeof boardSchema>): string {
  if (rows.length === 0) return 'No submission was scored yet. "sluice lab submit RUN --to NAME" makes one.';
  return table<z.infer<typeof rowSchema>>(
    [
      { title: 'rank', text: ({ rank }) => String(rank), align: 'right' },
      { title: 'user', text: ({ user }) => user },
      {
        title: `${metric.name} (${metric.direction})`,
        text: ({ score }) => scoreText(score),
        align: 'right',
      },
      { title: 'submissions', text: ({ submissions }) => String(submissions), align: 'right' },
      { title: 'reached', text: ({ submittedMs }) => timeText(submittedMs) },
    ],
    rows,
  );
}

export function competitionTable(competitions: readonly ShownCompetition[]): string {
  if (competitions.length === 0)
    return 'No competitions. "sluice lab competition create FILE.json" makes one.';
  return table<ShownCompetition>(
    [
      { title: 'competition', text: ({ name }) => name },
      { title: 'title', text: ({ title }) => title },
      { title: 'dataset', text: ({ dataset }) => `${dataset.name}@${dataset.version}` },
      { title: 'metric', text: ({ metric }) => `${metric.name} (${metric.direction})` },
      { title: 'until', text: ({ deadlineMs }) => (deadlineMs === undefined ? '' : timeText(deadlineMs)) },
    ],
    competitions,
  );
}

export function competitionText(competition: ShownCompetition): string {
  const { name, title, description, owner, dataset, metric, deadlineMs, leftToday } = competition;
  const left = leftToday === undefined ? '' : `; you have ${leftToday} left`;
  return [
    `${name}: ${title} (by ${owner})`,
    ...(description === '' ? [] : [description]),
    `dataset      ${dataset.name}@${dataset.version}, predicted for ${competition.testPath}`,
    `metric       ${metric.name}, better at its ${metric.direction}`,
    `program      is started with "${competition.inference.args.join(' ')}"`,
    `submissions  ${competition.submissionsPerDay} a day${left}`,
    ...(deadlineMs === undefined ? [] : [`until        ${timeText(deadlineMs)}`]),
  ].join('\n');
}

export function submissionTable(submissions: readonly ShownSubmission[]): string {
  if (submissions.length === 0) return 'You have submitted nothing.';
  return table<ShownSubmission>(
    [
      { title: 'id', text: ({ id }) => String(id), align: 'right' },
      { title: 'run', text: ({ runId }) => runId.slice(0, 8) },
      { title: 'checkpoint', text: ({ checkpoint = 'newest' }) => checkpoint },
      { title: 'state', text: ({ state, isDryRun }) => (isDryRun ? `${state} (dry run)` : state) },
      { title: 'score', text: ({ score }) => scoreText(score), align: 'right' },
      { title: 'submitted', text: ({ submittedMs }) => timeText(submittedMs) },
      { title: 'why', text: ({ error = '' }) => error.split('\n')[0]!.slice(0, 80) },
    ],
    submissions,
  );
}

/** `Submission 3 to digits (dry run): scored 0.93`. */
export function submissionText(submission: ShownSubmission): string {
  const { id, competition, isDryRun, state, score, error } = submission;
  const outcome =
    score === undefined
      ? error === undefined
        ? state
        : `${state}: ${error}`
      : `${state} ${scoreText(score)}`;
  return `Submission ${id} to ${competition}${isDryRun ? ' (dry run)' : ''}: ${outcome}`;
}

function scoreText(score: number | undefined): string {
  return score === undefined ? '' : String(Number(score.toPrecision(6)));
}

function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
