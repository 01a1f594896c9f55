import { rmSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { processFolder, removeIfEmpty, sweepProcessFolders } from '../../storage';

/** Where this process keeps what a run needs; it goes with the run, and when the process ends meanwhile. */
export class RunFolder {
  private readonly onExit = (): void => rmSync(this.path, { recursive: true, force: true });

  private constructor(
    readonly path: string,
    private readonly root: string,
  ) {
    process.once('exit', this.onExit);
  }

  /**
   * @param workDir may hold anything else. @param name of a folder in it: what killed runs left there is deleted.
   * @throws SluiceError `io`.
   */
  static async make(workDir: string, name: string): Promise<RunFolder> {
    const root = join(workDir, name);
    await sweepProcessFolders(root);
    const path = processFolder(root);
    await mkdir(path, { recursive: true });
    return new RunFolder(path, root);
  }

  async remove(): Promise<void> {
    process.off('exit', this.onExit);
    await rm(this.path, { recursive: true, force: true });
    await removeIfEmpty(this.root);
  }
}
