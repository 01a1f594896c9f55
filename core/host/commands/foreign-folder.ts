import { statSync } from 'node:fs';

/**
 * What is to be said when root works in a data folder of another user, as that of the service: what root writes there, that
 * user can't replace or remove.
 */
export function foreignFolderNote(folder: string, uid: number | undefined): string | undefined {
  const owner = statSync(folder, { throwIfNoEntry: false })?.uid;
  if (uid !== 0 || owner === undefined || owner === 0) return undefined;
  return (
    `sluice: ${folder} belongs to the user with id ${owner}, who can't change what root writes there. ` +
    `Run this as that user: sudo -u '#${owner}' sluice ...`
  );
}
