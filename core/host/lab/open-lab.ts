import { randomBytes } from 'node:crypto';
import { chmod, mkdir } from 'node:fs/promises';

import { systemClock } from '../../base';
import { Lab } from '../../lab';
import type { LabOptions, LabServing } from '../../lab';
import { ioError } from '../../storage';
import { currentUser } from './current-user';
import { removeServerFile, writeServerFile, type LabServerAddress } from './server-file';

export interface ServedLab {
  readonly lab: Lab;
  readonly address: LabServerAddress;
  readonly close: () => Promise<void>;
}

const TOKEN_BYTES = 24;

/**
 * Opens a lab and serves it, and tells other commands where.
 * @throws SluiceError as `Lab.open` and `Lab.serve`.
 */
export async function serveLab(
  options: Omit<LabOptions, 'clock' | 'random' | 'defaultUser'>,
  serving: Omit<LabServing, 'launchToken'>,
): Promise<ServedLab> {
  const { folder } = options;
  try {
    await mkdir(folder, { recursive: true });
    // It holds tokens, and the environment of runs.
    await chmod(folder, 0o700);
  } catch (cause) {
    throw ioError(`Can't use ${folder} for a lab`, cause);
  }
  const lab = await Lab.open({
    ...options,
    clock: systemClock,
    random: secretRandom,
    defaultUser: currentUser(),
  });
  try {
    const launchToken = serving.token ?? randomBytes(TOKEN_BYTES).toString('hex');
    const address = { url: await lab.serve({ ...serving, launchToken }), token: launchToken };
    await writeServerFile(folder, address);
    return {
      lab,
      address,
      close: async () => {
        await removeServerFile(folder);
        await lab.close();
      },
    };
  } catch (cause) {
    await lab.close();
    throw cause;
  }
}

/** From 0 up to 1, not to be guessed. */
function secretRandom(): number {
  return randomBytes(6).readUIntBE(0, 6) / 2 ** 48;
}
