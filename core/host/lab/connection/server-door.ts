import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createConnection, createServer } from 'node:net';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { ioError } from '../../../storage';

/** Of the address of a Unix socket, its end included: macOS has the least. */
const MOST_PATH_BYTES = 103;
const ASK_WITHIN_MS = 5000;

export interface Door {
  readonly path: string;
  close(): Promise<void>;
}

/**
 * Tells a token to whoever can open a socket in the folder, which is this user alone; nothing of it stands on the disk.
 * On Windows it is a named pipe, and whoever asks has to write: others may only read there.
 * @throws SluiceError `io`.
 */
export async function openDoor(folder: string, token: string): Promise<Door> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.setTimeout(ASK_WITHIN_MS, () => socket.destroy());
    socket.once('data', () => socket.end(token));
  });
  try {
    const path = await placeFor(folder);
    await listen(server, path);
    if (process.platform !== 'win32') await chmod(path, 0o600);
    server.unref();
    return { path, close: () => close(server, folder, path) };
  } catch (cause) {
    server.close();
    throw ioError(`Can't open a socket for the lab in ${folder}`, cause);
  }
}

/** `silent`: somebody is there and says nothing. */
export type DoorAnswer = { readonly token: string } | 'nobody' | 'silent';

/** What is behind a door. */
export function askDoor(path: string): Promise<DoorAnswer> {
  return new Promise((resolve) => {
    const socket = createConnection(path, () => socket.write('?'));
    let token = '';
    socket.setTimeout(ASK_WITHIN_MS, () => {
      resolve('silent');
      socket.destroy();
    });
    socket.on('data', (chunk: Buffer) => (token += chunk.toString('utf8')));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => resolve(token === '' ? 'nobody' : { token }));
  });
}

async function placeFor(folder: string): Promise<string> {
  if (process.platform === 'win32') return `\\\\.\\pipe\\sluice-lab-${randomBytes(16).toString('hex')}`;
  const near = join(folder, 'door');
  if (Buffer.byteLength(near) > MOST_PATH_BYTES)
    return join(await mkdtemp(join(tmpdir(), 'sluice-lab-')), 'door');
  // Of a server that was killed.
  await rm(near, { force: true });
  return near;
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
}

async function close(server: Server, folder: string, path: string): Promise<void> {
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (process.platform !== 'win32' && dirname(path) !== folder)
    await rm(dirname(path), { recursive: true, force: true });
}
