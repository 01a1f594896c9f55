import { watch } from 'node:fs';
import { basename, dirname } from 'node:path';

import { z } from 'zod';

import { PIPELINE_MODES } from '../../contract';
import type { PlanDetail, RunRecord, RunResult, WireError } from '../../contract';
import { isProcessAlive, listOf, processMark } from '../../storage';
import { StateFile } from '../state-file';
import type { Log } from '../state-file';

/** Runs remembered, here and by the console. */
export const KEPT_RUNS = 200;

/** Written by ourselves: the outline is checked, the nested figures are taken as they are. */
const record = z.object({
  id: z.string(),
  model: z.string(),
  mode: z.enum(PIPELINE_MODES),
  budgetBytes: z.number(),
  inputName: z.string(),
  startedAt: z.string(),
  state: z.enum(['running', 'done', 'failed', 'cancelled']),
  error: z.custom<WireError>(isObject).exactOptional(),
  stats: z
    .object({
      inferences: z.number(),
      medianMs: z.number(),
      p50Ms: z.number(),
      p99Ms: z.number(),
      lastMs: z.number(),
      lastStallMs: z.number(),
      readBytesLast: z.number(),
      missedDeadlines: z.number(),
    })
    .exactOptional(),
  plan: z.custom<PlanDetail>(isObject).exactOptional(),
  result: z.custom<RunResult>(isObject).exactOptional(),
  hasTrace: z.boolean(),
  /** Mark of the process it runs (or ran) in; a run of a process that has ended is not going on. */
  process: z.string().exactOptional(),
});
type StoredRun = z.infer<typeof record>;
const historySchema: z.ZodType<readonly StoredRun[]> = listOf(record);
function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

/**
 * Runs of all processes on one data folder: the console's, and those of commands beside it. Each process adds its own
 * and leaves the others' alone.
 */
export class RunHistory {
  private readonly file: StateFile<readonly StoredRun[]>;

  /** @param mark names this process. */
  constructor(
    path: string,
    private readonly log: Log,
    private readonly mark: string = processMark(),
  ) {
    this.file = new StateFile(path, historySchema, log);
  }

  /**
   * Runs of other processes, newest first, without traces. Those that still go on elsewhere are left out: only their
   * own process can tell how they fare, or stop them. Those whose process died have failed.
   * @throws SluiceError `io`.
   */
  others(): readonly RunRecord[] {
    const stored = this.file.read() ?? [];
    return stored.filter((run) => run.process !== this.mark && !goesOn(run)).map(recovered);
  }

  /** Remembers this process's runs as they are now, and the latest of the others'. */
  save(own: readonly RunRecord[]): void {
    const mine = own.map((run): StoredRun => ({ ...run, process: this.mark }));
    const ids = new Set(mine.map(({ id }) => id));
    this.file.change((stored = []) => {
      const others = stored.filter(({ id }) => !ids.has(id));
      return [...mine, ...others.map((run) => (goesOn(run) ? run : { ...run, ...recovered(run) }))]
        .sort((a, b) => b.startedAt.localeCompare(a.startedAt))
        .slice(0, KEPT_RUNS);
    });
  }

  /** Calls `onChange` when another process may have added runs. @returns ends it. */
  follow(onChange: () => void): () => void {
    const name = basename(this.file.path);
    try {
      const watcher = watch(dirname(this.file.path), { persistent: false }, (_event, changed) => {
        if (changed !== name) return;
        try {
          onChange();
        } catch (error) {
          // A file that can't be read now must not end the engine: nobody else hears of it here.
          this.log(
            `Runs of other processes show late: ${error instanceof Error ? error.message : String(error)}`,
          );
        }
      });
      watcher.on('error', (error) => this.log(`Runs of other processes show late: ${error.message}`));
      return () => watcher.close();
    } catch (error) {
      // No watches left, or a file system without them: the next listing shows those runs.
      this.log(`Runs of other processes show late: ${String(error)}`);
      return () => undefined;
    }
  }

  /** Resolves when everything asked for is on disk (or failed). */
  settled(): Promise<void> {
    return this.file.settled();
  }
}

function goesOn({ state, process }: StoredRun): boolean {
  return state === 'running' && process !== undefined && isProcessAlive(process);
}

/** A run of another process as this one shows it: no trace, and what was going on is lost with its process. */
function recovered({ process: _process, ...run }: StoredRun): RunRecord {
  const past = { ...run, hasTrace: false };
  if (run.state !== 'running') return past;
  const message = 'The engine process ended while this run was going on. Start it again.';
  return { ...past, state: 'failed', error: { code: 'engine-down', message, details: {} } };
}
