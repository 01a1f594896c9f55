import { SluiceError } from '../../contract';
import { sleepUntil } from '../host-clock';
import type { HostClock } from '../host-clock';
import type { LatencyRecord } from './run-stats';
import type { RunTask, TaskAnswer } from './run-task';

export interface LoopSettings {
  /** Inferences to make; Infinity runs until the signal aborts. */
  readonly inferences: number;
  /** Absent: back to back. */
  readonly periodMs?: number;
  /** Of the response: from the release of an inference to its end. */
  readonly deadlineMs?: number;
}

/**
 * Runs a task again and again. A periodic task is released at `t0 + k * period`, whatever the inferences take: a
 * release that passes while an earlier inference still runs is skipped and counted as a missed deadline.
 * @throws SluiceError `cancelled` when the signal aborts; what the task throws.
 */
export async function runLoop(
  task: RunTask,
  settings: LoopSettings,
  latencies: LatencyRecord,
  clock: HostClock,
  signal: AbortSignal,
  onAnswer: (answer: TaskAnswer) => void,
): Promise<void> {
  const { inferences, periodMs, deadlineMs } = settings;
  const firstMs = clock.nowMs();
  for (let release = 0, done = 0; done < inferences; done += 1) {
    if (periodMs !== undefined) await sleepUntil(clock, firstMs + release * periodMs, signal);
    if (signal.aborted) throw new SluiceError('cancelled', 'The run was stopped.');
    const releasedMs = periodMs === undefined ? clock.nowMs() : firstMs + release * periodMs;
    const answer = await task.infer(signal);
    const endedMs = clock.nowMs();
    latencies.add(answer);
    if (deadlineMs !== undefined && endedMs - releasedMs > deadlineMs) latencies.addMissed(1);
    if (periodMs !== undefined) {
      const next = Math.max(release + 1, Math.ceil((endedMs - firstMs) / periodMs));
      latencies.addMissed(next - release - 1);
      release = next;
    }
    onAnswer(answer);
  }
}
