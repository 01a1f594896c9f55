import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { z } from 'zod';

import { isProcessAlive, processMark, writeFileAtomic } from '../../../storage';
import { askDoor, openDoor } from './server-door';

const schema = z.object({ url: z.string(), door: z.string(), mark: z.string() });

/** Where a lab's server is, and what launching runs there takes. */
export interface LabServerAddress {
  readonly url: string;
  readonly token: string;
}

const PORT_FILE = 'last-port';

function fileIn(folder: string): string {
  return join(folder, 'server.json');
}

/**
 * Tells commands of this user where the server of a lab is; the folder is for this user alone. The token is not written
 * down: whoever may open the folder is told it.
 * @returns the way to take it back.
 */
export async function announceServer(
  folder: string,
  address: LabServerAddress,
): Promise<() => Promise<void>> {
  await writeFileAtomic(join(folder, PORT_FILE), new URL(address.url).port);
  const door = await openDoor(folder, address.token);
  await writeFileAtomic(
    fileIn(folder),
    JSON.stringify({ url: address.url, door: door.path, mark: processMark() }),
  );
  return async () => {
    await rm(fileIn(folder), { force: true });
    await door.close();
  };
}

/** @returns undefined when no living server serves the folder. */
export async function readServerFile(folder: string): Promise<LabServerAddress | undefined> {
  const text = await readFile(fileIn(folder), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  // One of an earlier version has no door: it is not spoken with.
  const parsed = schema.safeParse(JSON.parse(text));
  if (!parsed.success || !isProcessAlive(parsed.data.mark)) return undefined;
  const { url, door } = parsed.data;
  const token = await askDoor(door);
  return token === undefined ? undefined : { url, token };
}

/** Where a lab's last server listened: programs that it started go on logging there. Undefined: there was none. */
export async function readLastPort(folder: string): Promise<number | undefined> {
  const text = await readFile(join(folder, PORT_FILE), 'utf8').catch(() => '');
  const port = Number(text);
  return /^\d{1,5}$/.test(text) && port > 0 && port < 65_536 ? port : undefined;
}
