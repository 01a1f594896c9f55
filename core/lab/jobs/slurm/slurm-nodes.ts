import { z } from 'zod';

import { SluiceError } from '../../../contract';
import type { JobNode } from '../job-engine';

export interface SlurmNode extends JobNode {
  readonly features: readonly string[];
}

const MIB = 2 ** 20;
const UP = /^(idle|mixed|allocated|completing|planned|reserved)[~#+^@%-]*$/;

/** Columns of `sinfo -N -O`. */
export const SINFO_FORMAT = [
  'NodeList:200',
  'StateLong:30',
  'CPUsState:40',
  'Memory:20',
  'AllocMem:20',
  'Gres:300',
  'GresUsed:300',
]
  .map((column) => `${column}|`)
  .concat('Features:400')
  .join(',');

const line = z.string().transform((text, context) => {
  const [name, state, cpus, memory, takenMemory, gres, takenGres, features] = text
    .split('|')
    .map((part) => part.trim());
  const counts = /^(\d+)\/(\d+)\/(\d+)\/(\d+)$/.exec(cpus ?? '');
  const memoryMib = Number(memory);
  if (!name || !state || !counts || !Number.isInteger(memoryMib) || features === undefined) {
    context.addIssue({ code: 'custom', message: `"${text.slice(0, 200)}" is not a line of sinfo` });
    return z.NEVER;
  }
  const gpus = gpusIn(gres!);
  return {
    name,
    total: { cpus: Number(counts[4]), gpus, memoryBytes: memoryMib * MIB },
    free: {
      cpus: Number(counts[2]),
      gpus: Math.max(0, gpus - gpusIn(takenGres!)),
      memoryBytes: Math.max(0, memoryMib - (Number(takenMemory) || 0)) * MIB,
    },
    isUp: UP.test(state),
    features: features === '(null)' ? [] : features.split(',').filter(Boolean),
  };
});

/**
 * @param output of `sinfo -h -N -O SINFO_FORMAT`.
 * @throws SluiceError `unavailable` when it is something else.
 */
export function parseSinfo(output: string): readonly SlurmNode[] {
  const lines = output.split('\n').filter((text) => text.trim() !== '');
  const parsed = z.array(line).safeParse(lines);
  if (!parsed.success) {
    const what = parsed.error.issues[0]?.message ?? '';
    const message = `The answer of sinfo is not what was expected: ${what}. Is it Slurm's, of version 20.11 or newer?`;
    throw new SluiceError('unavailable', message, { command: 'sinfo' }, { cause: parsed.error });
  }
  // A node comes once for each of its partitions.
  return [...new Map(parsed.data.map((node) => [node.name, node])).values()];
}

/** `gpu:2`, `gpu:a100:4(S:0-1),shard:8`, `gpu:(null):1(IDX:0)`, `(null)`. */
function gpusIn(gres: string): number {
  const counts = gres.matchAll(/(?:^|,)gpu(?::(?:\(null\)|[^,:()]+))?:(\d+)/g);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}
