import { join } from 'node:path';

import { DEFAULT_LIMITS } from '../../../serving';
import type { CommandContext } from '../../commands/context';
import { currentUser } from './current-user';
import { LabApi } from './lab-api';
import { readServerFile } from './server-file';

/** A lab that a command talks to. */
export interface LabConnection {
  readonly api: LabApi;
  /** It ends with the command: nobody else serves this lab. */
  readonly isOwn: boolean;
  close(): Promise<void>;
}

export interface LabPlace {
  /** Default: `lab` in the data folder. */
  readonly labDir?: string;
}

/** Transfers may take as long as they go on. */
export const LAB_LIMITS = { ...DEFAULT_LIMITS, requestTimeoutMs: 24 * 3_600_000 };

export function labFolderOf({ dataDir }: CommandContext, { labDir }: LabPlace): string {
  return labDir ?? join(dataDir, 'lab');
}

/**
 * The lab at `SLUICE_LAB_URL` (with `SLUICE_LAB_TOKEN`), the one whose server runs on this machine, or else one that is
 * opened for as long as the command takes.
 * @throws SluiceError as `Lab.open`.
 */
export async function connectLab(context: CommandContext, place: LabPlace): Promise<LabConnection> {
  const { SLUICE_LAB_URL: url, SLUICE_LAB_TOKEN: token, SLUICE_USER: user = currentUser() } = process.env;
  const nothing = (): Promise<void> => Promise.resolve();
  if (url !== undefined && url !== '') {
    return { api: new LabApi(url.replace(/\/+$/, ''), token, user), isOwn: false, close: nothing };
  }
  const folder = labFolderOf(context, place);
  const known = await readServerFile(folder);
  if (known) return { api: new LabApi(known.url, known.token, user), isOwn: false, close: nothing };
  // A search that goes on for as long as a command takes would lose the trials it begins.
  // The lab itself is large, and most commands find a server.
  const { serveLab } = await import('./open-lab');
  const serving = { host: '127.0.0.1', port: 0, limits: LAB_LIMITS, searchesWait: true, syncWaits: true };
  const { address, close } = await serveLab({ folder, onFault: context.log }, serving);
  return { api: new LabApi(address.url, address.token, user), isOwn: true, close };
}

/** Runs a command with the lab it talks to. */
export async function withLab<T>(
  context: CommandContext,
  place: LabPlace,
  work: (lab: LabConnection) => Promise<T>,
): Promise<T> {
  const lab = await connectLab(context, place);
  try {
    return await work(lab);
  } finally {
    await lab.close();
  }
}
