import { fork, type ChildProcess } from 'node:child_process';

import { workerFile } from '../../base';
import { dismiss, tell } from '../bench/commanded-process';
import { postJson } from './mlflow-http';
import { BATCH_POINTS, type WriterCommand, type Written } from './writer-protocol';

export interface LoadFigures {
  /** Of all writers together. */
  readonly pointsPerSec: number;
  readonly points: number;
  readonly refusedRequests: number;
}

/** A run that one writer logs to, and how much of it was acknowledged. */
export interface WrittenRun {
  readonly runId: string;
  batches: number;
}

/** Processes that log at once, each to a run of its own by a connection of its own. */
export class Writers {
  private constructor(private readonly children: readonly ChildProcess[]) {}

  static start(count: number): Writers {
    // They end when this process does.
    return new Writers(Array.from({ length: count }, () => fork(workerFile('bench-lab-writer'))));
  }

  /** A run for each of them at a server. */
  async runsAt(url: string): Promise<readonly WrittenRun[]> {
    const runs: WrittenRun[] = [];
    for (const { pid } of this.children) {
      const { run } = await postJson<{ run: { info: { run_id: string } } }>(url, 'runs/create', {
        experiment_id: '0',
        run_name: `writer ${pid}`,
        start_time: 1_700_000_000_000,
      });
      runs.push({ runId: run.info.run_id, batches: 0 });
    }
    return runs;
  }

  /** @param ms absent: until the server is gone. */
  async write(url: string, runs: readonly WrittenRun[], ms?: number): Promise<LoadFigures> {
    const written = await Promise.all(
      this.children.map(async (child, index) => {
        const run = runs[index]!;
        const target = { url, runId: run.runId, firstBatch: run.batches };
        const command: WriterCommand = { kind: 'write', target, ...(ms !== undefined && { ms }) };
        const one = (await tell(child, `writer ${index + 1}`, command)) as Written;
        run.batches += one.batches;
        return one;
      }),
    );
    const rates = written.map(({ batches, elapsedMs }) => (batches * BATCH_POINTS * 1000) / elapsedMs);
    const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
    return {
      pointsPerSec: Math.round(sum(rates)),
      points: sum(written.map(({ batches }) => batches)) * BATCH_POINTS,
      refusedRequests: sum(written.map(({ refused }) => refused)),
    };
  }

  async close(): Promise<void> {
    const last: WriterCommand = { kind: 'close' };
    await Promise.all(this.children.map((child) => dismiss(child, 'a writer', last)));
  }
}
