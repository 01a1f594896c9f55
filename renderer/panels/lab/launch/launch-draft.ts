import type { LabLaunch, WireError } from '../../../../core/contract';
import { formatBytes, parseSize } from '../../../format';
import { strings } from '../../../strings';
import { faultLines } from '../shelf';

const STRINGS = strings.lab.launch;

/** What stands in the form's fields, as typed. */
export interface LaunchDraft {
  readonly folder: string;
  readonly entry: string;
  readonly args: string;
  /** `NAME@VERSION`; empty: none. */
  readonly dataset: string;
  /** Empty: the lab's default. */
  readonly engine: string;
  readonly cpus: string;
  readonly gpus: string;
  readonly memory: string;
  readonly priority: string;
  /** Minutes; empty: none. */
  readonly limit: string;
  /** A line each: `NAME=VALUE`. */
  readonly environment: string;
}

export type LaunchField = keyof LaunchDraft;
export type LaunchFaults = Partial<Readonly<Record<LaunchField, string>>>;

const FAULTS = STRINGS.faults;

function textOf(value: number | undefined): string {
  return value === undefined ? '' : String(value);
}

/** What the form begins with. */
export function draftOf(start: Partial<LabLaunch>): LaunchDraft {
  const { resources = {}, limitMs } = start;
  return {
    folder: start.folder ?? '',
    entry: start.entry ?? '',
    args: start.args ?? '',
    dataset: start.dataset ?? '',
    engine: start.engine ?? '',
    cpus: textOf(resources.cpus),
    gpus: textOf(resources.gpus),
    memory:
      resources.memoryBytes === undefined ? '' : formatBytes(resources.memoryBytes).replace('\u2009', ' '),
    priority: textOf(start.priority),
    limit: limitMs === undefined ? '' : String(Number((limitMs / 60_000).toFixed(2))),
    environment: Object.entries(start.environment ?? {})
      .map(([name, value]) => `${name}=${value}`)
      .join('\n'),
  };
}

/** A number that may be absent; what it is not is a fault. */
function numberOf(text: string, isValid: (value: number) => boolean): number | undefined | 'fault' {
  const trimmed = text.trim().replace(',', '.');
  if (trimmed === '') return undefined;
  const value = Number(trimmed);
  return Number.isFinite(value) && isValid(value) ? value : 'fault';
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
  const cpus = numberOf(draft.cpus, (value) => value > 0);
  const gpus = numberOf(draft.gpus, (value) => value >= 0 && Number.isInteger(value));
  const priority = numberOf(draft.priority, (value) => Number.isInteger(value) && Math.abs(value) <= 100);
  const limit = numberOf(draft.limit, (value) => value > 0);
  const memory = draft.memory.trim() === '' ? undefined : (parseSize(draft.memory) ?? 'fault');
  const environment = environmentOf(draft.environment);
  const faults: LaunchFaults = {
    ...programFaults(draft),
    ...(cpus === 'fault' ? { cpus: FAULTS.cpus } : {}),
    ...(gpus === 'fault' ? { gpus: FAULTS.gpus } : {}),
    ...(memory === 'fault' || memory === 0 ? { memory: FAULTS.memory } : {}),
    ...(priority === 'fault' ? { priority: FAULTS.priority } : {}),
    ...(limit === 'fault' ? { limit: FAULTS.limit } : {}),
    ...('faultLine' in environment ? { environment: FAULTS.environment(Number(environment.faultLine)) } : {}),
  };
  if (
    Object.keys(faults).length > 0 ||
    cpus === 'fault' ||
    gpus === 'fault' ||
    memory === 'fault' ||
    priority === 'fault' ||
    limit === 'fault'
  )
    return { faults };
  const variables = environment as Readonly<Record<string, string>>;
  const resources = definedOf({ cpus, gpus, memoryBytes: memory });
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
