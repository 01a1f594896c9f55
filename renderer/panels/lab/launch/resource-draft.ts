import type { LabResources } from '../../../../core/contract';
import { formatBytes, parseSize } from '../../../format';
import { strings } from '../../../strings';

const FAULTS = strings.lab.launch.faults;

/** What stands in the fields of what a run may use, as typed; empty: not said. */
export interface ResourceDraft {
  readonly cpus: string;
  readonly gpus: string;
  readonly memory: string;
}

export type ResourceFaults = Partial<Readonly<Record<keyof ResourceDraft, string>>>;

export function textOf(value: number | undefined): string {
  return value === undefined ? '' : String(value);
}

export function resourceDraftOf({ cpus, gpus, memoryBytes }: Partial<LabResources>): ResourceDraft {
  return {
    cpus: textOf(cpus),
    gpus: textOf(gpus),
    memory: memoryBytes === undefined ? '' : formatBytes(memoryBytes).replace('\u2009', ' '),
  };
}

/** A number that may be absent; what it is not is a fault. */
export function numberOf(text: string, isValid: (value: number) => boolean): number | undefined | 'fault' {
  const trimmed = text.trim().replace(',', '.');
  if (trimmed === '') return undefined;
  const value = Number(trimmed);
  return Number.isFinite(value) && isValid(value) ? value : 'fault';
}

function bytesOf(text: string): number | undefined | 'fault' {
  if (text.trim() === '') return undefined;
  const bytes = parseSize(text);
  return bytes === undefined || bytes === 0 ? 'fault' : bytes;
}

/** What the fields say where they are right, and what is wrong with the others. */
export function readResources(draft: ResourceDraft): {
  readonly resources: Partial<LabResources>;
  readonly faults: ResourceFaults;
} {
  const cpus = numberOf(draft.cpus, (value) => value > 0);
  const gpus = numberOf(draft.gpus, (value) => value >= 0 && Number.isInteger(value));
  const memoryBytes = bytesOf(draft.memory);
  return {
    resources: {
      ...(typeof cpus === 'number' && { cpus }),
      ...(typeof gpus === 'number' && { gpus }),
      ...(typeof memoryBytes === 'number' && { memoryBytes }),
    },
    faults: {
      ...(cpus === 'fault' && { cpus: FAULTS.cpus }),
      ...(gpus === 'fault' && { gpus: FAULTS.gpus }),
      ...(memoryBytes === 'fault' && { memory: FAULTS.memory }),
    },
  };
}
