import type { LabFork, LabRunDetail } from '../../../../core/contract';
import { strings } from '../../../strings';
import { readResources, resourceDraftOf } from '../launch';
import type { ResourceDraft } from '../launch';
import { parseVariables, shellQuoted } from './shell-words';

const WORDS = strings.lab.runPage.forkForm;

/** What stands in the fields of a fork, as typed. */
export interface ForkDraft extends ResourceDraft {
  readonly args: string;
  readonly environment: string;
  /** Empty: the newest. */
  readonly checkpoint: string;
  readonly engine: string;
}

export type ForkField = keyof ForkDraft;
export type ForkFaults = Partial<Readonly<Record<ForkField, string>>>;

/** A fork that is like its parent. */
export function forkDraftOf(parent: LabRunDetail, checkpoint = ''): ForkDraft {
  const variables = Object.entries(parent.environment ?? {}).map(([name, value]) => `${name}=${value}`);
  return {
    args: shellQuoted(parent.args ?? []),
    environment: shellQuoted(variables),
    checkpoint,
    engine: parent.engine ?? '',
    ...resourceDraftOf(parent.resources ?? {}),
  };
}

/** What the fork is to have otherwise, and what is wrong with its fields. Of what is left as it was nothing is said. */
export function readFork(
  draft: ForkDraft,
  before: ForkDraft,
): { readonly fork: Omit<LabFork, 'run'>; readonly faults: ForkFaults } {
  const { args, engine, checkpoint } = draft;
  // A size is shown rounded: said again it would be another one.
  const changed = (field: keyof ResourceDraft): string =>
    draft[field] === before[field] ? '' : draft[field];
  const { resources, faults } = readResources({
    cpus: changed('cpus'),
    gpus: changed('gpus'),
    memory: changed('memory'),
  });
  const parsed = parseVariables(draft.environment);
  return {
    fork: {
      ...(args !== before.args && { args }),
      ...(draft.environment !== before.environment &&
        'variables' in parsed && { environment: parsed.variables }),
      ...(checkpoint !== '' && { checkpoint }),
      ...(engine !== before.engine && { engine }),
      ...(Object.keys(resources).length > 0 && { resources }),
    },
    faults: { ...faults, ...('bad' in parsed && { environment: WORDS.badVariable(parsed.bad) }) },
  };
}
