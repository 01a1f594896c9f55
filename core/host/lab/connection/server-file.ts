import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { z } from 'zod';

import { isProcessAlive, processMark, writeFileAtomic } from '../../../storage';

const schema = z.object({ url: z.string(), token: z.string(), mark: z.string() });

/** Where a lab's server is, and what launching runs there takes. */
export interface LabServerAddress {
  readonly url: string;
  readonly token: string;
}

const PORT_FILE = 'last-port';

function fileIn(folder: string): string {
  return join(folder, 'server.json');
}

/** Tells commands of this user where the server of a lab is; the folder is for this user alone. */
export async function writeServerFile(folder: string, address: LabServerAddress): Promise<void> {
  await writeFileAtomic(join(folder, PORT_FILE), new URL(address.url).port);
  await writeFileAtomic(fileIn(folder), JSON.stringify({ ...address, mark: processMark() }));
}

/** @returns undefined when no living server serves the folder. */
export async function readServerFile(folder: string): Promise<LabServerAddress | undefined> {
  const text = await readFile(fileIn(folder), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const { url, token, mark } = schema.parse(JSON.parse(text));
  return isProcessAlive(mark) ? { url, token } : undefined;
}

/** Where a lab's last server listened: programs that it started go on logging there. Undefined: there was none. */
export async function readLastPort(folder: string): Promise<number | undefined> {
  const text = await readFile(join(folder, PORT_FILE), 'utf8').catch(() => '');
  const port = Number(text);
  return /^\d{1,5}$/.test(text) && port > 0 && port < 65_536 ? port : undefined;
}

export async function removeServerFile(folder: string): Promise<void> {
  await rm(fileIn(folder), { force: true });
}
