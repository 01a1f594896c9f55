import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { DEFAULT_LIMITS } from '../../../serving';
import type { Lab, LabRun } from '../../../lab';
import type { Job } from '../../../contract';
import { EventBus } from '../../event-bus';
import { systemClock } from '../../host-clock';
import { Jobs } from '../../jobs';
import { LabApi } from '../connection/lab-api';
import type { LabLink } from '../connection/lab-link';
import { serveLab } from '../connection/open-lab';

/** A lab that is served from a folder, and what handlers reach it by. */
export interface ShelfLab {
  readonly lab: Lab;
  readonly folder: string;
  /** As `ann`. */
  readonly api: LabApi;
  readonly link: LabLink;
  /** What jobs told, oldest first. */
  readonly told: readonly Job[];
  linkOf(user: string): LabLink;
  /** A new folder with these files. */
  folderOf(files: Readonly<Record<string, string>>): string;
  /** A shell script that was run to its end. */
  ran(user: string, script?: string, dataset?: string): Promise<LabRun>;
  /** What a program would upload. @param run its name. */
  writeArtifact(run: string, path: string, text: string): Promise<void>;
  /** As if nobody had touched them for a week. */
  makeChunksOld(): void;
  close(): Promise<void>;
}

const WEEK_SEC = 7 * 86_400;

export async function openShelfLab(folder: string): Promise<ShelfLab> {
  const faults: string[] = [];
  const { lab, address, close } = await serveLab(
    {
      folder,
      totals: { cpus: 4, gpus: 0, memoryBytes: 2 ** 31 },
      onFault: (message) => faults.push(message),
    },
    { host: '127.0.0.1', port: 0, limits: DEFAULT_LIMITS },
  );
  const bus = new EventBus();
  const told: Job[] = [];
  bus.subscribe((message) => {
    if (message.event === 'job') told.push(message.payload);
  });
  const jobs = new Jobs(bus, systemClock);
  const linkOf = (user: string): LabLink => {
    const api = new LabApi(address.url, address.token, user);
    return { jobs, lab: () => Promise.resolve({ api: () => Promise.resolve(api) }) };
  };
  let folders = 0;
  const folderOf = (files: Readonly<Record<string, string>>): string => {
    const made = join(folder, '..', `files-${(folders += 1)}`);
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(made, path, '..'), { recursive: true });
      writeFileSync(join(made, path), text);
    }
    return made;
  };
  return {
    lab,
    folder,
    api: new LabApi(address.url, address.token, 'ann'),
    link: linkOf('ann'),
    told,
    linkOf,
    folderOf,
    ran: async (user, script = 'echo done', dataset) => {
      const launched = await lab.runs.launch({
        ...PLAN,
        user,
        folder: folderOf({ 'train.sh': script }),
        ...(dataset !== undefined && { dataset }),
      });
      return untilEnded(lab, launched.runId);
    },
    writeArtifact: async (run, path, text) => {
      const { runId } = lab.runs.get(run);
      const { artifactUri } = lab.tracking.runs.get(runId).info;
      const names = artifactUri.replace('mlflow-artifacts:/', '').split('/');
      await lab.artifacts.write([...names, ...path.split('/')], chunksOf(text));
    },
    makeChunksOld: () => {
      const oldSec = systemClock.nowMs() / 1000 - WEEK_SEC;
      const chunks = join(folder, 'data', 'chunks');
      for (const prefix of readdirSync(chunks)) {
        for (const hash of readdirSync(join(chunks, prefix)))
          utimesSync(join(chunks, prefix, hash), oldSec, oldSec);
      }
    },
    close: async () => {
      await close();
      if (faults.length > 0) throw new Error(faults.join('\n'));
    },
  };
}

/** How a version that was registered from an artifact of a run names it. */
export function pathOfTestRun({ lab }: ShelfLab, run: string, path: string): string {
  return `runs:/${lab.runs.get(run).runId}/${path}`;
}

const PLAN = {
  entry: 'train.sh',
  args: [],
  environment: {},
  resources: { cpus: 1, gpus: 0, memoryBytes: 2 ** 28 },
  engine: 'local',
  priority: 0,
} as const;

function untilEnded({ runs }: Lab, runId: string): Promise<LabRun> {
  return new Promise((resolve) => {
    const look = (): void => {
      const run = runs.get(runId);
      if (run.endedMs === undefined) return;
      unwatch();
      resolve(run);
    };
    const unwatch = runs.watch(look);
    look();
  });
}

async function* chunksOf(text: string): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(Buffer.from(text));
}
