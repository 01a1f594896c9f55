import { readFileSync } from 'node:fs';

import { SluiceError } from '../../contract';

/** Of Linux for user space, whatever the kernel's own (proc(5): USER_HZ). */
const TICKS_PER_SEC = 100;

export interface ProcessUse {
  readonly cpuSec: number;
  readonly rssBytes: number;
}

/** What a process has used so far. @throws SluiceError `unsupported` where the system does not tell. */
export function processUse(pid: number): ProcessUse {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = Number(fields[11]) + Number(fields[12]);
    const [, kib = ''] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return { cpuSec: ticks / TICKS_PER_SEC, rssBytes: Number(kib) * 1024 };
  } catch (cause) {
    throw new SluiceError(
      'unsupported',
      `What process ${pid} uses can be read on Linux only.`,
      {},
      { cause },
    );
  }
}
