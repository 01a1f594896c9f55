import { chmod, chown, lchown, lstat, mkdir, readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';

import { SluiceError } from '../../../contract';
import { ioError, sha256Hex } from '../../../storage';
import { removeTree } from '../../datasets/tree/write-tree';
import type { OtherUser } from './isolation';

const GROUP_OR_OTHERS_WRITE = 0o022;

/** The folders that jobs of submissions are laid out in, one each, gone when the job has ended. */
export class JobRooms {
  private constructor(
    readonly root: string,
    private readonly isShared: boolean,
  ) {}

  /** Below a folder of this user alone. */
  static within(folder: string): JobRooms {
    return new JobRooms(join(folder, 'rooms'), false);
  }

  /** Where other users of the machine can go, for a lab that is kept where they can't. Takes root. */
  static outside(labFolder: string): JobRooms {
    const name = `sluice-lab-${sha256Hex(Buffer.from(labFolder)).slice(0, 16)}`;
    return new JobRooms(join('/var/tmp', name), true);
  }

  of(key: string): string {
    return join(this.root, key);
  }

  /** An empty one, whatever was there. @throws SluiceError `io`, `conflict` when others could change it. */
  async make(key: string, ...folders: readonly string[]): Promise<string> {
    const room = this.of(key);
    try {
      await this.makeRoot();
      await removeTree(room);
      await mkdir(room, { mode: 0o700 });
      for (const folder of folders) await mkdir(join(room, folder), { mode: 0o700 });
      return room;
    } catch (cause) {
      throw ioError(`Can't make the folder ${room} for a submission`, cause);
    }
  }

  /**
   * Gives all that is in a room to the user of its job. The room itself stays root's, so that nothing in it can be put in
   * the place of the folder that the server reads from later.
   */
  async handOver(key: string, { id }: OtherUser): Promise<void> {
    const room = this.of(key);
    try {
      await giveAway(room, id);
      await chown(room, 0, id);
      await chmod(room, 0o750);
    } catch (cause) {
      throw ioError(`Can't give ${room} to the user ${id}`, cause);
    }
  }

  /** @throws SluiceError `io`. */
  async remove(key: string): Promise<void> {
    await removeTree(this.of(key)).catch((cause: unknown) => {
      throw ioError(`Can't remove ${this.of(key)}`, cause);
    });
  }

  /** Leaves nothing where the system keeps things for all, when no job is left there. */
  async close(): Promise<void> {
    await rmdir(this.root).catch(() => undefined);
  }

  private async makeRoot(): Promise<void> {
    await mkdir(this.root, { recursive: true, mode: this.isShared ? 0o711 : 0o700 });
    if (!this.isShared) return;
    const { uid, mode } = await lstat(this.root).then((stats) =>
      stats.isDirectory() ? stats : { uid: -1, mode: 0 },
    );
    if (uid !== 0 || (mode & GROUP_OR_OTHERS_WRITE) !== 0) {
      throw new SluiceError(
        'conflict',
        `${this.root}: expected a folder that root alone can change, found something else. Remove it.`,
        { path: this.root },
      );
    }
    // The process's mask may have taken the right to pass.
    await chmod(this.root, 0o711);
  }
}

/** All that is in a folder. Not by a recursive listing, which follows links. */
async function giveAway(folder: string, id: number): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await giveAway(path, id);
    await lchown(path, id, id);
  }
}
