import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { seededRandom, systemClock } from '../../../base';
import { DEFAULT_LIMITS } from '../../../serving';
import { pathOfArtifactUri } from '../../artifacts/artifact-uri';
import { hasEnded } from '../../jobs/job-state';
import { Lab } from '../../lab';
import type { LabRun, LaunchRequest } from '../run-types';

export const LAUNCH_TOKEN = 'a-token-for-launching';
const OLD_SEC = 1_000_000_000;

/** A lab in a temporary folder, listening, that can be closed and opened again. */
export class LabGround {
  private opened = 0;
  private folders = 0;

  private constructor(
    private readonly root: string,
    public lab: Lab,
    public url: string,
  ) {}

  get labFolder(): string {
    return join(this.root, 'lab');
  }

  static async make(): Promise<LabGround> {
    const root = mkdtempSync(join(tmpdir(), 'sluice-lab-runs-'));
    return new LabGround(root, ...(await openLab(join(root, 'lab'), 0)));
  }

  /** @param between what happens to the folder while nobody has it. */
  async reopen(between: () => void = () => undefined): Promise<void> {
    await this.lab.close();
    between();
    this.opened += 1;
    [this.lab, this.url] = await openLab(this.labFolder, this.opened);
  }

  async close(): Promise<void> {
    await this.lab.close();
    rmSync(this.root, { recursive: true, force: true });
  }

  /** A new folder with these files. */
  folder(files: Readonly<Record<string, string>>): string {
    const folder = join(this.root, `folder-${(this.folders += 1)}`);
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    return folder;
  }

  /** Launches a shell script. */
  launch(script: string, more: Partial<LaunchRequest> = {}): Promise<LabRun> {
    return this.lab.runs.launch({ ...PLAN, folder: this.folder({ 'train.sh': script }), ...more });
  }

  /** Launches a shell script and waits for its end. */
  async ran(script: string, more: Partial<LaunchRequest> = {}): Promise<LabRun> {
    return this.ended(await this.launch(script, more));
  }

  ended({ runId }: LabRun): Promise<LabRun> {
    const { runs } = this.lab;
    return new Promise((resolve) => {
      const look = (): void => {
        const run = runs.get(runId);
        if (!hasEnded(run)) return;
        unwatch();
        resolve(run);
      };
      const unwatch = runs.watch(look);
      look();
    });
  }

  workFolder({ runId }: LabRun): string {
    return join(this.labFolder, 'runs', runId, 'work');
  }

  async logText({ runId }: LabRun): Promise<string> {
    return readFileSync((await this.lab.runs.log(runId)).file, 'utf8');
  }

  /** What a program would upload. @param isOld as if long ago. */
  async writeArtifact({ runId }: LabRun, path: string, text: string, isOld = false): Promise<void> {
    const { artifactUri } = this.lab.tracking.runs.get(runId).info;
    const place = [...pathOfArtifactUri(artifactUri), ...path.split('/')];
    await this.lab.artifacts.write(place, chunksOf(text));
    if (isOld) utimesSync(join(this.labFolder, 'artifacts', ...place), OLD_SEC, OLD_SEC);
  }

  /** Follows a run's log until it has the text. @throws Error when it ends before. */
  async untilLog({ runId }: LabRun, wanted: string): Promise<void> {
    let seen = '';
    for await (const part of await this.followLog(runId)) {
      seen += part;
      if (seen.includes(wanted)) return;
    }
    throw new Error(`The log ended without ${JSON.stringify(wanted)}: ${seen}`);
  }

  /** @param query behind `?`. */
  async followLog(run: string, query = 'follow=true'): Promise<AsyncIterable<string>> {
    const answer = await this.ask('GET', `runs/${encodeURIComponent(run)}/log?${query}`);
    if (!answer.ok || !answer.body) throw new Error(`${answer.status}: ${await answer.text()}`);
    return answer.body.pipeThrough(new TextDecoderStream());
  }

  /** @param path below `/api/sluice/`. @param token null: without one. */
  ask(
    method: string,
    path: string,
    body?: unknown,
    token: string | null = LAUNCH_TOKEN,
    user = 'ann',
  ): Promise<Response> {
    return fetch(`${this.url}/api/sluice/${path}`, {
      method,
      headers: { 'x-sluice-user': user, ...(token !== null && { authorization: `Bearer ${token}` }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  }

  /** Resolves when a job of the queue has ended. */
  jobEnded(key: string): Promise<void> {
    const { queue } = this.lab;
    return new Promise((resolve) => {
      const look = (): void => {
        if (queue.get(key)?.step !== 'ended') return;
        unwatch();
        resolve();
      };
      const unwatch = queue.watch(look);
      look();
    });
  }

  /** Of what the local engine keeps. */
  jobKeys(): readonly string[] {
    return readdirSync(join(this.labFolder, 'jobs'));
  }

  /** The names of what is in the folder of runs. */
  runFolders(): readonly string[] {
    return readdirSync(join(this.labFolder, 'runs'));
  }
}

/** All that a launch needs but for its folder. */
export const PLAN = {
  user: 'ann',
  entry: 'train.sh',
  args: [],
  environment: {},
  resources: { cpus: 1, gpus: 0, memoryBytes: 2 ** 28 },
  engine: 'local',
  priority: 0,
} as const satisfies Omit<LaunchRequest, 'folder'>;

async function openLab(folder: string, seed: number): Promise<[lab: Lab, url: string]> {
  const lab = await Lab.open({
    folder,
    clock: systemClock,
    random: seededRandom(seed + 1),
    defaultUser: 'ann',
    totals: { cpus: 8, gpus: 0, memoryBytes: 2 ** 31 },
    onFault: (message) => {
      throw new Error(message);
    },
  });
  const url = await lab.serve({
    host: '127.0.0.1',
    port: 0,
    limits: DEFAULT_LIMITS,
    launchToken: LAUNCH_TOKEN,
  });
  return [lab, url];
}

async function* chunksOf(text: string): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(Buffer.from(text));
}
