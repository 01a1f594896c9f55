import type { LabLaunch, WireError } from '../../../../core/contract';
import { strings } from '../../../strings';
import { faultLines } from '../shelf';
import { numberOf, readResources, resourceDraftOf, textOf } from './resource-draft';
import type { ResourceDraft } from './resource-draft';

const STRINGS = strings.lab.launch;

/** What stands in the form's fields, as typed. */
export interface LaunchDraft extends ResourceDraft {
  readonly folder: string;
  readonly entry: string;
  readonly args: string;
  /** `NAME@VERSION`; empty: none. */
  readonly dataset: string;
  /** Empty: the lab's default. */
  readonly engine: string;
  readonly priority: string;
  /** Minutes; empty: none. */
  readonly limit: string;
  /** A line each: `NAME=VALUE`. */
  readonly environment: string;
}

export type LaunchField = keyof LaunchDraft;
export type LaunchFaults = Partial<Readonly<Record<LaunchField, string>>>;

const FAULTS = STRINGS.faults;

/** What the form begins with. */
export function draftOf(start: Partial<LabLaunch>): LaunchDraft {
  const { resources = {}, limitMs } = start;
  return {
    folder: start.folder ?? '',
    entry: start.entry ?? '',
    args: start.args ?? '',
    dataset: start.dataset ?? '',
    engine: start.engine ?? '',
    ...resourceDraftOf(resources),
    priority: textOf(start.priority),
    limit: limitMs === undefined ? '' : String(Number((limitMs / 60_000).toFixed(2))),
    environment: Object.entries(start.environment ?? {})
      .map(([name, value]) => `${name}=${value}`)
      .join('\n'),
  };
}

function environmentOf(text: string): Readonly<Record<string, string>> | { readonly faultLine: number } {
  const entries: [string, string][] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const match = /^\s*([A-Za-z_]\w*)=(.*)$/.exec(line);
    if (match?.[1] === undefined) return { faultLine: index + 1 };
    entries.push([match[1], match[2] ?? '']);
  }
  return Object.fromEntries(entries);
}

/** POSIX shells refuse a line whose quotes are open; so does the lab. */
function hasOpenQuote(text: string): boolean {
  let quote = '';
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? '';
    if (char === '\\' && quote !== "'") at++;
    else if (quote === '' && (char === '"' || char === "'")) quote = char;
    else if (char === quote) quote = '';
  }
  return quote !== '';
}

function isAbsolute(path: string): boolean {
  return /^(?:\/|[A-Za-z]:[\\/]|\\\\)/.test(path);
}

function programFaults({ folder, entry, args }: LaunchDraft): LaunchFaults {
  return {
    ...(folder.trim() === '' ? { folder: FAULTS.noFolder } : {}),
    ...(folder.trim() !== '' && !isAbsolute(folder.trim()) ? { folder: FAULTS.notAbsolute } : {}),
    ...(entry.trim() === '' ? { entry: FAULTS.noEntry } : {}),
    ...(isAbsolute(entry.trim()) ? { entry: FAULTS.entryOutside } : {}),
    ...(hasOpenQuote(args) ? { args: FAULTS.openQuote } : {}),
  };
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Without what was left empty, so that the lab's default holds. */
function definedOf<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as Defined<T>;
}

/** @returns the request, or what is wrong with which field. */
export function launchOf(
  draft: LaunchDraft,
): { readonly launch: LabLaunch } | { readonly faults: LaunchFaults } {
  const { resources, faults: resourceFaults } = readResources(draft);
  const priority = numberOf(draft.priority, (value) => Number.isInteger(value) && Math.abs(value) <= 100);
  const limit = numberOf(draft.limit, (value) => value > 0);
  const environment = environmentOf(draft.environment);
  const faults: LaunchFaults = {
    ...programFaults(draft),
    ...resourceFaults,
    ...(priority === 'fault' ? { priority: FAULTS.priority } : {}),
    ...(limit === 'fault' ? { limit: FAULTS.limit } : {}),
    ...('faultLine' in environment ? { environment: FAULTS.environment(Number(environment.faultLine)) } : {}),
  };
  if (Object.keys(faults).length > 0 || priority === 'fault' || limit === 'fault') return { faults };
  const variables = environment as Readonly<Record<string, string>>;
  return {
    launch: {
      folder: draft.folder.trim(),
      entry: draft.entry.trim(),
      ...definedOf({
        args: draft.args.trim() || undefined,
        dataset: draft.dataset || undefined,
        engine: draft.engine || undefined,
        priority,
        limitMs: limit === undefined ? undefined : Math.round(limit * 60_000),
        environment: Object.keys(variables).length === 0 ? undefined : variables,
        resources: Object.keys(resources).length === 0 ? undefined : resources,
      }),
    },
  };
}

/** How the lab names the fields. */
const FIELD_OF: Readonly<Record<string, LaunchField>> = {
  folder: 'folder',
  entry: 'entry',
  args: 'args',
  dataset: 'dataset',
  engine: 'engine',
  'resources.cpus': 'cpus',
  'resources.gpus': 'gpus',
  'resources.memoryBytes': 'memory',
  priority: 'priority',
  limitMs: 'limit',
  limitSec: 'limit',
  environment: 'environment',
};

export interface FieldFaults {
  readonly faults: LaunchFaults;
  /** How many of the lab's faults are about a field. */
  readonly count: number;
}

/** The lab's faults (`priority: expected ...`) by field; the first of each. */
export function faultsFrom(error: WireError): FieldFaults {
  const faults: Partial<Record<LaunchField, string>> = {};
  let count = 0;
  for (const line of faultLines(error)) {
    const [, path = '', message = ''] = /^([^:]+): (.*)$/s.exec(line) ?? [];
    const own = path.replace(/^trials\./, '');
    const field = FIELD_OF[own] ?? FIELD_OF[own.split('.')[0] ?? ''];
    if (field === undefined) continue;
    faults[field] ??= message;
    count++;
  }
  return { faults, count };
}
