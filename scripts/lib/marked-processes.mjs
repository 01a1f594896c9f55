import { createServer } from 'node:net';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Programs started with a value of its own in it are found again, with all their descendants that kept it. */
const MARK = 'SLUICE_STARTED_BY';

/** The environment variable to start programs with, so that `endMarked` finds them. */
export function markOf(id) {
  return { [MARK]: id };
}

/**
 * Ends every process of this machine that carries the mark: asks first, kills after `graceMs`. Linux only.
 *
 * @returns {Promise<readonly number[]>} those that had to be killed
 */
export async function endMarked(id, graceMs = 5000) {
  for (const pid of markedPids(id)) signal(pid, 'SIGTERM');
  const endMs = performance.now() + graceMs;
  while (performance.now() < endMs) {
    if (markedPids(id).length === 0) return [];
    await sleep(50);
  }
  const killed = markedPids(id);
  // Again and again: some may start others meanwhile.
  for (let left = killed; left.length > 0; left = markedPids(id)) {
    for (const pid of left) signal(pid, 'SIGKILL');
    await sleep(50);
  }
  return killed;
}

function markedPids(id) {
  const wanted = `${MARK}=${id}`;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => environmentOf(pid).includes(wanted))
    .map(Number);
}

/** Empty for a process that is gone, a zombie, or somebody else's. */
function environmentOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(error.code)) return [];
    throw error;
  }
}

function signal(pid, name) {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

/** A port of loopback that nobody listens on now. */
export function freePort() {
  return new Promise((done, fail) => {
    const server = createServer();
    server.once('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}
