import { z } from 'zod';

import { parseInput } from '../store/parse-input';
import { EVALUATOR_NAMES, evaluatorNamed } from './evaluators/registry';

/** How a run's program is asked for predictions. */
interface InferencePlan {
  /** In place of those that the run was launched with. */
  readonly args: readonly string[];
  readonly cpus: number;
  readonly gpus: number;
  readonly memoryBytes: number;
  readonly limitMinutes: number;
}

export interface CompetitionDefinition {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly dataset: { readonly name: string; readonly version: string };
  /** The file of the dataset that only the evaluator gets: columns `id` and `answer`, CSV or JSON lines. */
  readonly hiddenPath: string;
  /** The folder of the dataset whose files are predicted for; `/` at its end. */
  readonly testPath: string;
  readonly inference: InferencePlan;
  /** A built-in one, or a program of whoever created the competition. */
  readonly evaluator: { readonly builtIn: string } | { readonly command: readonly string[] };
  readonly metric: { readonly name: string; readonly direction: 'max' | 'min' };
  /** Of each user; a day is one of UTC. */
  readonly submissionsPerDay: number;
  /** Since the Unix epoch; nothing is taken after it. */
  readonly deadlineMs?: number;
}

const text = z.string().min(1).max(200);
const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
const isInside = (path: string): boolean =>
  !path.startsWith('/') &&
  !path.includes('\\') &&
  path.split('/').every((part) => !['', '.', '..'].includes(part));

const evaluatorSchema = z.union(
  [
    z.enum(EVALUATOR_NAMES).transform((builtIn) => ({ builtIn })),
    z.strictObject({ builtIn: z.enum(EVALUATOR_NAMES) }),
    z.strictObject({ command: z.array(z.string().min(1).max(4000)).min(1).max(100) }),
  ],
  `expected one of ${EVALUATOR_NAMES.join(', ')}, or {"command": [...]}`,
);
const inferenceSchema = z.strictObject({
  args: z.array(z.string().max(4000)).max(100).default(['--predict']),
  cpus: z.number().positive().max(4096).default(1),
  gpus: z.int().min(0).max(1024).default(0),
  memoryBytes: z
    .int()
    .positive()
    .default(2 ** 30),
  limitMinutes: z.number().positive().max(10_080).default(60),
});
const definitionSchema = z
  .strictObject({
    name: z.string().regex(NAME, 'expected lower-case letters, digits and hyphens, at most 63'),
    title: text.exactOptional(),
    description: z.string().max(20_000).default(''),
    dataset: z.strictObject({ name: text, version: text }),
    hiddenPath: z
      .string()
      .max(500)
      .refine(isInside, 'expected a path inside the dataset, such as hidden/answers.csv')
      .refine((path) => /\.(csv|jsonl)$/.test(path), 'expected a name that ends with .csv or .jsonl'),
    testPath: z
      .string()
      .max(500)
      .default('test/')
      .transform((path) => (path.endsWith('/') ? path : `${path}/`))
      .refine((path) => isInside(path.slice(0, -1)), 'expected a folder inside the dataset, such as test/'),
    inference: inferenceSchema.prefault({}),
    evaluator: evaluatorSchema,
    metric: z.strictObject({ name: text, direction: z.enum(['max', 'min']) }).exactOptional(),
    submissionsPerDay: z.int().min(1).max(10_000).default(10),
    deadline: z.iso
      .datetime({ offset: true, error: 'expected a time such as 2030-01-31T23:59:00Z' })
      .exactOptional(),
  })
  .transform((given, context): CompetitionDefinition => {
    const { title, deadline, metric, evaluator, ...rest } = given;
    const builtIn = 'builtIn' in evaluator ? evaluatorNamed(evaluator.builtIn) : undefined;
    const fault = (path: string[], message: string): void => {
      context.issues.push({ code: 'custom', path, message, input: given });
    };
    if (!metric && !builtIn)
      fault(['metric'], 'expected its name and direction, because the evaluator is a command');
    if (metric && builtIn && metric.direction !== builtIn.direction) {
      fault(['metric', 'direction'], `${builtIn.name} is better at its ${builtIn.direction}`);
    }
    return {
      ...rest,
      evaluator,
      title: title ?? given.name,
      metric: metric ?? { name: builtIn?.name ?? '', direction: builtIn?.direction ?? 'max' },
      ...(deadline === undefined ? {} : { deadlineMs: Date.parse(deadline) }),
    };
  });

/** @throws SluiceError `bad-input` naming every fault with its path. */
export function parseDefinition(json: unknown): CompetitionDefinition {
  return parseInput('The competition', definitionSchema, json);
}

/** As it is kept: with everything in its place, and the deadline in milliseconds. */
const storedSchema: z.ZodType<CompetitionDefinition> = z.object({
  name: z.string().regex(NAME),
  title: z.string(),
  description: z.string(),
  dataset: z.object({ name: z.string(), version: z.string() }),
  hiddenPath: z.string().refine(isInside),
  testPath: z.string(),
  inference: z.object({
    args: z.array(z.string()),
    cpus: z.number().positive(),
    gpus: z.int().min(0),
    memoryBytes: z.int().positive(),
    limitMinutes: z.number().positive(),
  }),
  evaluator: z.union([
    z.object({ builtIn: z.enum(EVALUATOR_NAMES) }),
    z.object({ command: z.array(z.string()).min(1) }),
  ]),
  metric: z.object({ name: z.string(), direction: z.enum(['max', 'min']) }),
  submissionsPerDay: z.int().min(1),
  deadlineMs: z.number().exactOptional(),
});

/** What was kept of a definition that was checked when it came. @throws ZodError for what is none (any more). */
export function storedDefinition(json: unknown): CompetitionDefinition {
  return storedSchema.parse(json);
}
