import type { JobEngine, JobState, JobStatus } from '../job-engine';

/** Waits till a job is in one of the states, on the engine's own telling of changes. */
export function untilState(
  engine: JobEngine,
  key: string,
  ...states: readonly JobState[]
): Promise<JobStatus> {
  return new Promise((done, fail) => {
    const end = engine.watch((changed) => {
      if (changed === key) look();
    });
    const look = (): void => {
      engine.statuses([key]).then((statuses) => {
        const status = statuses.get(key);
        if (!status || !states.includes(status.state)) return;
        end();
        done(status);
      }, fail);
    };
    look();
  });
}
