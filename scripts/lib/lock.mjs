import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { note, SetupError } from './terminal.mjs';

/**
 * Runs `body` while no other process of this machine holds the same lock file. A lock whose owner has died is taken
 * over.
 *
 * @param {string} path of the lock file; its folder is made when absent
 * @param {() => Promise<T>} body
 * @param {number} timeoutMs how long to wait for another owner
 * @template T
 * @returns {Promise<T>}
 * @throws SetupError after `timeoutMs`, naming the owner.
 */
export async function withLock(path, body, timeoutMs = 15 * 60_000) {
  mkdirSync(dirname(path), { recursive: true });
  const endMs = performance.now() + timeoutMs;
  let told = false;
  while (!tryTake(path)) {
    const owner = ownerOf(path);
    if (owner !== undefined && !isAlive(owner)) {
      takeAway(path, owner);
      continue;
    }
    if (!told && owner !== undefined) note(`waiting for process ${owner}, which does the same (${path})`);
    told = true;
    if (performance.now() > endMs) {
      throw new SetupError(
        `Process ${owner} has held ${path} for too long. End it, or delete the file, and try again.`,
      );
    }
    await sleep(200);
  }
  try {
    return await body();
  } finally {
    rmSync(path, { force: true });
  }
}

/** A link appears with its content or not at all, so nobody ever reads a lock without an owner. */
function tryTake(path) {
  const own = `${path}.own.${process.pid}`;
  writeFileSync(own, String(process.pid));
  try {
    linkSync(own, path);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
}

/** `undefined` when the lock has just gone. */
function ownerOf(path) {
  try {
    return Number(readFileSync(path, 'utf8')) || undefined;
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Removes a dead owner's lock; one that somebody alive has taken in the meantime is put back. */
function takeAway(path, deadOwner) {
  const aside = `${path}.dead.${process.pid}`;
  try {
    renameSync(path, aside);
    if (ownerOf(aside) !== deadOwner) linkSync(aside, path);
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error;
  }
  rmSync(aside, { force: true });
}
