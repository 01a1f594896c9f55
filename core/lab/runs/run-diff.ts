import type { ManifestDiff } from '../datasets/tree/manifest-diff';
import type { LabRun } from './run-types';

/** One thing that two runs do not have in common; undefined: it has none. */
export interface RunDifference {
  /** `args`, `dataset`, `environment.LR`, `resources.cpus`, `code`, ... */
  readonly what: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/** @param code what changed in the working folder; undefined when it is the same. */
export function differences(
  from: LabRun,
  to: LabRun,
  code: ManifestDiff | undefined,
): readonly RunDifference[] {
  const [before, after] = [factsOf(from), factsOf(to)];
  const keys = [...new Set([...before.keys(), ...after.keys()])];
  const facts = keys
    .map((what): RunDifference => ({ what, from: before.get(what), to: after.get(what) }))
    .filter((difference) => difference.from !== difference.to);
  return code ? [...facts, ...codeDifferences(code)] : facts;
}

function factsOf(run: LabRun): ReadonlyMap<string, string> {
  const { dataset, parent, image, environment, resources } = run;
  return new Map([
    ['entry', run.entry],
    ...argumentFacts(run.args),
    ...(dataset ? [['dataset', `${dataset.name}@${dataset.number}`] as const] : []),
    ...(parent ? [['parent', parent.name] as const] : []),
    ...(parent?.checkpoint === undefined ? [] : [['checkpoint', parent.checkpoint] as const]),
    ...(image === undefined ? [] : [['image', image] as const]),
    ['engine', run.engine],
    ...Object.entries(environment).map(([name, value]) => [`environment.${name}`, value] as const),
    ...Object.entries(resources).map(([name, value]) => [`resources.${name}`, String(value)] as const),
  ]);
}

/** `--lr 0.1`, `--lr=0.1` and `-v` by name, what else there is by place. */
function argumentFacts(args: readonly string[]): (readonly [string, string])[] {
  const facts: (readonly [string, string])[] = [];
  for (let at = 0, place = 1; at < args.length; at += 1) {
    const text = args[at]!;
    const [, name, value] = /^(--?[A-Za-z][^=]*)(?:=(.*))?$/s.exec(text) ?? [];
    if (name === undefined) {
      facts.push([`args.${place}`, text]);
      place += 1;
    } else if (value !== undefined) facts.push([`args.${name}`, value]);
    else if (at + 1 < args.length && !/^--?[A-Za-z]/.test(args[at + 1]!)) {
      at += 1;
      facts.push([`args.${name}`, args[at]!]);
    } else facts.push([`args.${name}`, 'given']);
  }
  return facts;
}

function codeDifferences({ added, removed, changed }: ManifestDiff): RunDifference[] {
  return [
    ...removed.map((path) => ({ what: `code.${path}`, from: 'there', to: undefined })),
    ...added.map((path) => ({ what: `code.${path}`, from: undefined, to: 'there' })),
    ...changed.map((path) => ({ what: `code.${path}`, from: 'before', to: 'changed' })),
  ];
}
