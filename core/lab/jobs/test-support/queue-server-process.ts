/** A server that is killed at any moment: a queue over a local engine, given all jobs anew at each start. */
import { join } from 'node:path';

import { LabDatabase } from '../../store/lab-database';
import { LocalEngine } from '../local/local-engine';
import { JobQueue } from '../queue/job-queue';
import { JOBS_SCHEMA } from '../queue/queue-store';

async function serve(root: string, jobs: number): Promise<void> {
  const database = LabDatabase.open(join(root, 'lab.db'), [JOBS_SCHEMA]);
  const totals = { cpus: 3, gpus: 0, memoryBytes: 2 ** 30 };
  const engine = await LocalEngine.open({ folder: join(root, 'jobs'), totals, pollMs: 20, graceMs: 100 });
  const queue = new JobQueue({ database, engines: [engine], tickMs: 50 });
  const keys = Array.from({ length: jobs }, (_, index) => `job-${index}`);
  for (const key of keys) {
    const command = ['/bin/sh', '-c', `echo ${key} >> ran.txt; sleep 0.05; exit 3`];
    const resources = { cpus: 1, gpus: 0, memoryBytes: 2 ** 28 };
    const spec = { command, folder: root, environment: {}, resources, logFile: join(root, `${key}.log`) };
    queue.submit({ key, user: 'ann', engine: 'local', spec });
  }
  process.stdout.write('submitted\n');
  const isDone = (): boolean => keys.every((key) => queue.get(key)?.step === 'ended');
  const end = (): void => {
    if (!isDone()) return;
    process.stdout.write(JSON.stringify(keys.map((key) => queue.get(key)?.state)));
    process.exit(0);
  };
  queue.watch(end);
  end();
}

void serve(process.argv[2]!, Number(process.argv[3]));
