import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { JobEngine, JobSpec, JobStatus } from '../job-engine';
import { hasEnded } from '../job-state';
import { JobFolder } from '../local/job-folder';
import { LocalEngine, type LocalEngineOptions } from '../local/local-engine';
import { ProcessTree } from '../local/process-tree';

/** Folders of a test: the engine's, and one for programs and logs. */
export interface JobGround {
  readonly root: string;
  readonly jobs: string;
  readonly work: string;
  remove(): void;
}

export function makeGround(): JobGround {
  const root = mkdtempSync(join(tmpdir(), 'sluice-jobs-'));
  return { root, jobs: join(root, 'jobs'), work: root, remove: () => rmSync(root, { recursive: true }) };
}

export function openEngine(
  ground: JobGround,
  options: Partial<LocalEngineOptions> = {},
): Promise<LocalEngine> {
  const totals = { cpus: 4, gpus: 2, memoryBytes: 2 ** 30 };
  return LocalEngine.open({
    folder: ground.jobs,
    node: 'here',
    totals,
    pollMs: 50,
    graceMs: 100,
    ...options,
  });
}

/** A job that runs a line of shell. */
export function shellJob(ground: JobGround, script: string, more: Partial<JobSpec> = {}): JobSpec {
  return {
    command: ['/bin/sh', '-c', script],
    folder: ground.work,
    environment: {},
    resources: { cpus: 1, gpus: 0, memoryBytes: 2 ** 28 },
    logFile: join(ground.root, 'log.txt'),
    ...more,
  };
}

/** Waits, told by the engine, until a job's status is as wanted. */
export async function untilStatus(
  engine: JobEngine,
  key: string,
  isWanted: (status: JobStatus) => boolean = hasEnded,
): Promise<JobStatus> {
  for (;;) {
    let wake: () => void = () => undefined;
    const changed = new Promise<void>((resolve) => (wake = resolve));
    const unwatch = engine.watch((changedKey) => {
      if (changedKey === key) wake();
    });
    const status = (await engine.statuses([key])).get(key);
    if (status && isWanted(status)) {
      unwatch();
      return status;
    }
    await changed;
    unwatch();
  }
}

/** Waits for what no event tells. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** Processes of any job of this ground that are there now. */
export function processesOf(ground: JobGround): readonly number[] {
  return readdirSync(ground.jobs).flatMap((key) => {
    const folder = new JobFolder(join(ground.jobs, key));
    return folder.exists ? new ProcessTree(folder.record().token).scan(true).map(({ pid }) => pid) : [];
  });
}

export function supervisorPid(ground: JobGround, key: string): number {
  return Number.parseInt(new JobFolder(join(ground.jobs, key)).supervisor() ?? '', 10);
}
