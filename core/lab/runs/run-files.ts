import { createWriteStream } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

import { SluiceError } from '../../contract';
import { parseArtifactPath } from '../artifacts/artifact-path';
import type { ArtifactStore } from '../artifacts/artifact-store';
import { pathOfArtifactUri } from '../artifacts/artifact-uri';
import { removeTree } from '../datasets/tree/write-tree';
import { CHECKPOINTS, checkpointsOf } from './checkpoints';

/** The folder of a run below the lab's: its code, its checkpoint, its log. */
export class RunFiles {
  constructor(
    private readonly root: string,
    private readonly artifacts: ArtifactStore,
  ) {}

  workFolder(runId: string): string {
    return join(this.root, runId, 'work');
  }

  logFile(runId: string): string {
    return join(this.root, runId, 'log.txt');
  }

  async make(runId: string): Promise<void> {
    await mkdir(join(this.root, runId), { recursive: true });
  }

  /** Whether the code was laid out: an earlier attempt may have ended before. */
  async hasWork(runId: string): Promise<boolean> {
    return (await stat(this.workFolder(runId)).catch(() => undefined)) !== undefined;
  }

  /** All of it. Artifacts stay. */
  async remove(runId: string): Promise<void> {
    await removeTree(join(this.root, runId));
  }

  /**
   * The artifact a run goes on from.
   * @param wanted a path of an artifact; absent: the newest file below `checkpoints/`.
   * @returns its path below the run's artifacts; undefined when none was named and there is none.
   * @throws SluiceError `not-found` for one that was named, `io`.
   */
  async checkpoint(artifactUri: string, wanted?: string): Promise<string | undefined> {
    const base = pathOfArtifactUri(artifactUri);
    if (wanted !== undefined) {
      await (await this.artifacts.read([...base, ...parseArtifactPath(wanted)])).close();
      return wanted;
    }
    const [newest] = await checkpointsOf(this.artifacts, base);
    return newest;
  }

  /**
   * The checkpoint a run wrote at a step: the one whose name ends with that number (`checkpoints/12.pt`,
   * `checkpoints/epoch-12/state.pt`), or else its newest.
   * @returns its path below the run's artifacts; undefined when it has none. @throws SluiceError `io`.
   */
  async checkpointAt(artifactUri: string, step: number): Promise<string | undefined> {
    const base = pathOfArtifactUri(artifactUri);
    const files = await this.artifacts.list([...base, CHECKPOINTS], true);
    const named = files.find(({ path, isFolder }) => !isFolder && stepIn(path) === step);
    return named ? `${CHECKPOINTS}/${named.path}` : this.checkpoint(artifactUri);
  }

  /** Of a run that nobody goes on from. @throws SluiceError `io`. */
  async removeCheckpoints(artifactUri: string): Promise<void> {
    const place = [...pathOfArtifactUri(artifactUri), CHECKPOINTS];
    if ((await this.artifacts.list(place)).length > 0) await this.artifacts.remove(place);
  }

  /** Copies an artifact to where a run can read it. @returns the file. @throws SluiceError `not-found`, `io`. */
  async layCheckpoint(runId: string, artifactUri: string, checkpoint: string): Promise<string> {
    const names = parseArtifactPath(checkpoint);
    const folder = join(this.root, runId, 'checkpoint');
    const file = join(folder, names.at(-1)!);
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    const opened = await this.artifacts.read([...pathOfArtifactUri(artifactUri), ...names]);
    try {
      await pipeline(opened.stream(), createWriteStream(file));
    } catch (cause) {
      throw new SluiceError(
        'io',
        `Can't write the checkpoint ${file}: ${cause instanceof Error ? cause.message : String(cause)}.`,
        { file },
        { cause },
      );
    }
    return file;
  }

  /** 0 while there is none. */
  async logBytes(runId: string): Promise<number> {
    return (await stat(this.logFile(runId)).catch(() => undefined))?.size ?? 0;
  }
}

/** The last number in a path, its ending left out; undefined: none. */
function stepIn(path: string): number | undefined {
  const last = path
    .replace(/\.[A-Za-z][A-Za-z0-9]*$/, '')
    .match(/\d+/g)
    ?.at(-1);
  return last === undefined ? undefined : Number(last);
}
