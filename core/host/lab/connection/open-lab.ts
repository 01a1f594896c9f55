import { randomBytes } from 'node:crypto';
import { chmod, mkdir } from 'node:fs/promises';

import { systemClock } from '../../../base';
import { SluiceError } from '../../../contract';
import { Lab } from '../../../lab';
import type { LabOptions, LabServing } from '../../../lab';
import { ioError, SecretBox } from '../../../storage';
import { currentUser } from './current-user';
import { announceServer, readLastPort, type LabServerAddress } from './server-file';

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
    // It holds the environment of runs.
    await chmod(folder, 0o700);
  } catch (cause) {
    throw ioError(`Can't use ${folder} for a lab`, cause);
  }
  const lab = await Lab.open({
    ...options,
    clock: systemClock,
    random: secretRandom,
    defaultUser: currentUser(),
    secrets: await SecretBox.find(process.env, folder),
  });
  try {
    const launchToken = serving.token ?? randomBytes(TOKEN_BYTES).toString('hex');
    const url = await listen(lab, { ...serving, launchToken }, await readLastPort(folder));
    const address = { url, token: launchToken };
    const withdraw = await announceServer(folder, address);
    return {
      lab,
      address,
      close: async () => {
        await withdraw();
        await lab.close();
      },
    };
  } catch (cause) {
    await lab.close();
    throw cause;
  }
}

/** At any free port means where programs that still run look for the lab, if that one is free. */
async function listen(lab: Lab, serving: LabServing, lastPort: number | undefined): Promise<string> {
  if (serving.port !== 0 || lastPort === undefined) return lab.serve(serving);
  try {
    return await lab.serve({ ...serving, port: lastPort });
  } catch (thrown) {
    if (SluiceError.from(thrown).code !== 'conflict') throw thrown;
    return lab.serve(serving);
  }
}

/** From 0 up to 1, not to be guessed. */
function secretRandom(): number {
  return randomBytes(6).readUIntBE(0, 6) / 2 ** 48;
}
