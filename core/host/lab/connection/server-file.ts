import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { z } from 'zod';

import { SluiceError } from '../../../contract';
import { isProcessAlive, processMark, writeFileAtomic } from '../../../storage';
import { askDoor, openDoor } from './server-door';

const schema = z.object({ url: z.string(), door: z.string(), mark: z.string() });

/** Where a lab's server is, and what launching runs there takes. */
export interface LabServerAddress {
  readonly url: string;
  readonly token: string;
}

/** A server that was found. */
export interface FoundServer extends LabServerAddress {
  /** Of its process (`processMark`). */
  readonly mark: string;
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

/**
 * @returns undefined when no living server serves the folder.
 * @throws SluiceError `timeout`: one does, and hangs.
 */
export async function readServerFile(folder: string): Promise<FoundServer | undefined> {
  const announced = await announcedIn(folder);
  if (!announced) return undefined;
  const { url, door, mark } = announced;
  const answer = await askDoor(door);
  if (answer === 'nobody') return undefined;
  if (answer !== 'silent') return { url, mark, token: answer.token };
  const pid = Number.parseInt(mark, 10);
  throw new SluiceError(
    'timeout',
    `The lab's server at ${url} (process ${pid}) is there and does not answer: it is stopped, or the machine is too busy. ` +
      'Runs go on without it. Try again later; if it stays like that, end the process and start the server again.',
    { url, pid },
  );
}

/** Whether the server that was found is the one that serves the folder, in whatever state it is. */
export async function isServing(folder: string, { url, mark }: FoundServer): Promise<boolean> {
  const announced = await announcedIn(folder);
  return announced?.url === url && announced.mark === mark;
}

async function announcedIn(folder: string): Promise<z.output<typeof schema> | undefined> {
  const text = await readFile(fileIn(folder), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  // One of an earlier version has no door: it is not spoken with.
  const parsed = schema.safeParse(JSON.parse(text));
  return parsed.success && isProcessAlive(parsed.data.mark) ? parsed.data : undefined;
}

/** Where a lab's last server listened: programs that it started go on logging there. Undefined: there was none. */
export async function readLastPort(folder: string): Promise<number | undefined> {
  const text = await readFile(join(folder, PORT_FILE), 'utf8').catch(() => '');
  const port = Number(text);
  return /^\d{1,5}$/.test(text) && port > 0 && port < 65_536 ? port : undefined;
}
