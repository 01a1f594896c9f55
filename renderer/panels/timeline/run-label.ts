import type { RunRecord } from '../../../core/contract';
import { formatBytes, formatClock, formatMs } from '../../format';

/** `14:03:27  resnet50  async 64 MiB  104 ms`: enough to tell runs apart in a list. */
export function runLabel(run: RunRecord): string {
  const budget = run.mode === 'resident' ? 'resident' : `${run.mode} ${formatBytes(run.budgetBytes)}`;
  const latency = run.stats ? formatMs(run.stats.lastMs) : run.state;
  return [formatClock(run.startedAt), run.model, budget, latency].join(' · ');
}

/** File name for an export: no characters that a file system refuses. */
export function traceFileName(run: RunRecord): string {
  const model = run.model.replaceAll(/[^\w.-]+/g, '-');
  return `${model}-${run.mode}-${run.startedAt.slice(0, 19).replaceAll(/[:T]/g, '-')}.trace.json`;
}
