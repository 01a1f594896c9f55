import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, vi } from 'vitest';

import { systemClock } from '../../../base';
import { DEFAULT_LIMITS } from '../../../serving';
import { Lab } from '../../lab';
import type { LabRun } from '../../runs/run-types';
import type { Submission } from '../competition-store';
import { MODEL_PROGRAM, SCORE_PROGRAM } from './programs';

export const SECRET = ['not-for-', 'contestants'] as const;
const ROWS = 25;
const WAIT = { timeout: 60_000, interval: 50 };

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** A lab that is served, with the dataset `digits` of `host` and a folder with the program `model.mjs`. */
export class CompetitionLab {
  private readonly launchToken = randomBytes(24).toString('hex');
  readonly faults: string[] = [];
  lab!: Lab;
  url = '';

  private constructor(readonly folder: string) {}

  static async start(): Promise<CompetitionLab> {
    const made = new CompetitionLab(await mkdtemp(join(tmpdir(), 'competition-lab-')));
    // The lab's own folder is closed to others, and not by what is around it.
    await chmod(made.folder, 0o755);
    await mkdir(made.labFolder, { mode: 0o700 });
    await made.makeFolders();
    await made.open();
    await made.lab.datasets.push({ name: 'host' }, 'digits', join(made.folder, 'digits'), {
      hidden: ['hidden/'],
      visibility: 'shared',
    });
    return made;
  }

  get labFolder(): string {
    return join(this.folder, 'lab');
  }

  get codeFolder(): string {
    return join(this.folder, 'code');
  }

  async open(): Promise<void> {
    this.lab = await Lab.open({
      folder: this.labFolder,
      clock: systemClock,
      random: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48,
      defaultUser: 'host',
      totals: { cpus: 4 },
      onFault: (message) => this.faults.push(message),
    });
    const { launchToken } = this;
    const url = await this.lab.serve({ host: '127.0.0.1', port: 0, limits: DEFAULT_LIMITS, launchToken });
    this.url = `${url}/api/sluice`;
  }

  async close(): Promise<void> {
    await this.lab.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** @param user undefined: without the token. */
  async ask(user: string | undefined, path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(`${this.url}/${path}`, {
      ...(user !== undefined && {
        headers: { 'x-sluice-user': user, authorization: `Bearer ${this.launchToken}` },
      }),
      ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  /** A run that has ended, with checkpoints by name. */
  async train(
    user: string,
    checkpoints: Readonly<Record<string, object>>,
    entry = 'model.mjs',
  ): Promise<LabRun> {
    const { runId } = await this.lab.runs.launch({
      user,
      folder: this.codeFolder,
      dataset: 'digits',
      entry,
      args: Object.entries(checkpoints).map(([name, content]) => `${name}=${JSON.stringify(content)}`),
      environment: {},
      resources: { cpus: 1, gpus: 0, memoryBytes: 2 ** 29 },
      engine: 'local',
      priority: 0,
    });
    await vi.waitFor(() => expect(this.lab.runs.get(runId).endedMs).toBeDefined(), WAIT);
    const run = this.lab.runs.get(runId);
    expect(run).toMatchObject({ state: 'succeeded' });
    return run;
  }

  /** What became of a submission. */
  async ended(competition: string, user: string, id: unknown): Promise<Submission> {
    const find = (): Submission => {
      const found = this.lab.competitions.history(competition, user).find((one) => one.id === id);
      expect(found?.endedMs).toBeDefined();
      return found!;
    };
    return vi.waitFor(find, WAIT);
  }

  private async makeFolders(): Promise<void> {
    const ids = Array.from({ length: ROWS }, (_, id) => id);
    const files = {
      'digits/train/rows.csv': 'id,x,answer\n',
      'digits/test/inputs.csv': ['id,x', ...ids.map((id) => `r${id},${id * 7}`)].join('\n'),
      'digits/hidden/answers.csv': [
        'id,answer,note',
        ...ids.map((id) => `r${id},${(id * 7) % 3},${SECRET.join('')}`),
      ].join('\n'),
      'digits/hidden/score.mjs': SCORE_PROGRAM,
      'code/model.mjs': MODEL_PROGRAM,
    };
    for (const [path, text] of Object.entries(files)) {
      await mkdir(join(this.folder, path, '..'), { recursive: true });
      await writeFile(join(this.folder, path), text);
    }
  }
}
