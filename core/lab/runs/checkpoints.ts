import { parseArtifactPath, type ArtifactPath } from '../artifacts/artifact-path';
import type { ArtifactStore } from '../artifacts/artifact-store';

/** Where checkpoints are looked for when none is named. */
export const CHECKPOINTS = 'checkpoints';

/**
 * The files below a run's `checkpoints/`, the newest first, from the run's root.
 * @param base the place of the run's artifacts. @throws SluiceError `io`.
 */
export async function checkpointsOf(
  artifacts: ArtifactStore,
  base: ArtifactPath,
): Promise<readonly string[]> {
  const entries = await artifacts.list([...base, CHECKPOINTS], true);
  const files: { readonly path: string; readonly modifiedMs: number }[] = [];
  for (const { path, isFolder } of entries) {
    if (isFolder) continue;
    const opened = await artifacts.read([...base, CHECKPOINTS, ...parseArtifactPath(path)]);
    await opened.close();
    files.push({ path: `${CHECKPOINTS}/${path}`, modifiedMs: opened.modifiedMs });
  }
  return files.sort((a, b) => b.modifiedMs - a.modifiedMs).map(({ path }) => path);
}
