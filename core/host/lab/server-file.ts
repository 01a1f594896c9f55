import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { z } from 'zod';

import { isProcessAlive, processMark, writeFileAtomic } from '../../storage';

const schema = z.object({ url: z.string(), token: z.string(), mark: z.string() });

/** Where a lab's server is, and what launching runs there takes. */
export interface LabServerAddress {
  readonly url: string;
  readonly token: string;
}

function fileIn(folder: string): string {
  return join(folder, 'server.json');
}

/** Tells commands of this user where the server of a lab is; the folder is for this user alone. */
export async function writeServerFile(folder: string, address: LabServerAddress): Promise<void> {
  await writeFileAtomic(fileIn(folder), JSON.stringify({ ...address, mark: processMark() }));
}

/** @returns undefined when no living server serves the folder. */
export async function readServerFile(folder: string): Promise<LabServerAddress | undefined> {
  const text = await readFile(fileIn(folder), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const { url, token, mark } = schema.parse(JSON.parse(text));
  return isProcessAlive(mark) ? { url, token } : undefined;
}

export async function removeServerFile(folder: string): Promise<void> {
  await rm(fileIn(folder), { force: true });
}
