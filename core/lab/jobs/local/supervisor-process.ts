/** Entry of the process that holds one job: it outlives the server, and its folder says all there is to know. */
import { systemClock } from '../../../base';

import { JobFolder } from './job-folder';
import { Supervisor } from './supervisor';

async function main(path: string): Promise<void> {
  const folder = new JobFolder(path);
  const start = folder.start();
  if (!start || !folder.claim()) return;
  const supervisor = new Supervisor(folder, start, systemClock);
  process.on('SIGTERM', () => {
    const graceMs = folder.stopGraceMs();
    supervisor.stop(graceMs !== undefined, graceMs ?? start.graceMs);
  });
  await supervisor.run();
}

// Its log is on the disk that the job may fill; that must not end the job.
process.stderr.on('error', () => undefined);
// A terminal that closes is none of a job's business.
process.on('SIGHUP', () => undefined);
process.on('SIGINT', () => undefined);
main(process.argv[2] ?? '').then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  },
);
