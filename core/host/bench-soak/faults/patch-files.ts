import { createRequire } from 'node:module';
import { sep } from 'node:path';

import type { Random } from '../../../base';
import type { FaultState } from './fault-state';

type Callable = (this: unknown, ...args: unknown[]) => unknown;
type Functions = Record<string, Callable>;
type Direction = 'read' | 'write';

/** By name: what is called with a path or a descriptor first. */
const WITH_FILE: readonly (readonly [name: string, direction: Direction])[] = [
  ['read', 'read'],
  ['readv', 'read'],
  ['write', 'write'],
  ['writev', 'write'],
  ['fsync', 'write'],
  ['fdatasync', 'write'],
  ['ftruncate', 'write'],
  ['readFile', 'read'],
  ['writeFile', 'write'],
  ['appendFile', 'write'],
  ['rename', 'write'],
  ['mkdir', 'write'],
];
const OF_HANDLES: readonly (readonly [name: string, direction: Direction])[] = [
  ['read', 'read'],
  ['readFile', 'read'],
  ['write', 'write'],
  ['writev', 'write'],
  ['writeFile', 'write'],
  ['appendFile', 'write'],
  ['sync', 'write'],
  ['datasync', 'write'],
];

const load = createRequire(__filename);
const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** What `node:fs` does to files below `folder` from now on goes as `stateNow` says. What native libraries do does not. */
export function patchFiles(folder: string, stateNow: () => FaultState, random: Random): void {
  const fs = load('node:fs') as Functions & { readonly promises: Functions };
  const ours = new OurFiles(folder);
  const faults = new Faults(stateNow, random);
  patchOpen(fs, ours);
  for (const [name, direction] of WITH_FILE) {
    patchSync(fs, `${name}Sync`, direction, ours, faults);
    patchCallback(fs, name, direction, ours, faults);
    patchPromise(fs.promises, name, direction, ours, faults);
  }
  patchHandles(fs.promises, ours, faults);
}

/** Which paths and descriptors are the soak's. */
class OurFiles {
  private readonly descriptors = new Set<number>();
  private readonly below: string;

  constructor(private readonly folder: string) {
    this.below = `${folder}${sep}`;
  }

  has(file: unknown): boolean {
    if (typeof file === 'number') return this.descriptors.has(file);
    const path = typeof file === 'string' ? file : file instanceof URL ? file.pathname : '';
    return path === this.folder || path.startsWith(this.below);
  }

  /** A descriptor's number may have been another file's before. */
  opened(descriptor: unknown, path: unknown): void {
    if (typeof descriptor !== 'number') return;
    if (this.has(path)) this.descriptors.add(descriptor);
    else this.descriptors.delete(descriptor);
  }
}

class Faults {
  constructor(
    private readonly stateNow: () => FaultState,
    private readonly random: Random,
  ) {}

  get slowMs(): number {
    return this.stateNow().slowMs;
  }

  /** The error that this call meets, if any. */
  error(direction: Direction, call: string): Error | undefined {
    const { errorRatio, isFull } = this.stateNow();
    if (isFull && direction === 'write') return systemError('ENOSPC', -28, 'no space left on device', call);
    return errorRatio > 0 && this.random() < errorRatio
      ? systemError('EIO', -5, 'i/o error', call)
      : undefined;
  }
}

function systemError(code: string, errno: number, text: string, syscall: string): Error {
  return Object.assign(new Error(`${code}: ${text}, ${syscall}`), { code, errno, syscall });
}

/** A disk that is slow holds up the thread that asks it. */
function hold(ms: number): void {
  if (ms > 0) Atomics.wait(sleeper, 0, 0, ms);
}

/** Unpatched timers of this very module: a slow disk must not depend on what it slows. */
function later(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function patchOpen(fs: Functions, ours: OurFiles): void {
  const { openSync, open } = fs;
  fs['openSync'] = function (...args) {
    const descriptor = openSync!.apply(this, args);
    ours.opened(descriptor, args[0]);
    return descriptor;
  };
  fs['open'] = function (...args) {
    const done = args.pop() as (error: unknown, descriptor: unknown) => void;
    return open!.apply(this, [
      ...args,
      (error: unknown, descriptor: unknown) => {
        ours.opened(descriptor, args[0]);
        done(error, descriptor);
      },
    ]);
  };
}

function patchSync(fs: Functions, name: string, direction: Direction, ours: OurFiles, faults: Faults): void {
  const real = fs[name];
  if (!real) return;
  fs[name] = function (...args) {
    if (ours.has(args[0])) {
      hold(faults.slowMs);
      const error = faults.error(direction, name);
      if (error) throw error;
    }
    return real.apply(this, args);
  };
}

function patchCallback(
  fs: Functions,
  name: string,
  direction: Direction,
  ours: OurFiles,
  faults: Faults,
): void {
  const real = fs[name];
  if (!real) return;
  fs[name] = function (...args) {
    const done = args.at(-1);
    if (!ours.has(args[0]) || typeof done !== 'function') return real.apply(this, args);
    const error = faults.error(direction, name);
    const { slowMs } = faults;
    const go = (): void => {
      if (error) (done as (error: Error) => void)(error);
      else real.apply(this, args);
    };
    if (slowMs > 0) setTimeout(go, slowMs);
    else if (error) process.nextTick(go);
    else go();
    return undefined;
  };
}

function patchPromise(
  promises: Functions,
  name: string,
  direction: Direction,
  ours: OurFiles,
  faults: Faults,
): void {
  const real = promises[name];
  if (!real) return;
  promises[name] = async function (...args) {
    if (ours.has(args[0])) await fate(faults, direction, name);
    return real.apply(this, args);
  };
}

/** Handles have a class that is no module's: it is met with the first of them. */
function patchHandles(promises: Functions, ours: OurFiles, faults: Faults): void {
  const { open } = promises;
  let isPatched = false;
  promises['open'] = async function (...args) {
    const handle = (await open!.apply(this, args)) as { readonly fd: number };
    ours.opened(handle.fd, args[0]);
    if (isPatched) return handle;
    isPatched = true;
    const prototype = Object.getPrototypeOf(handle) as Functions;
    for (const [name, direction] of OF_HANDLES) {
      const real = prototype[name];
      if (!real) continue;
      prototype[name] = async function (this: unknown, ...rest) {
        if (ours.has((this as { readonly fd: number }).fd)) await fate(faults, direction, name);
        return real.apply(this, rest);
      };
    }
    return handle;
  };
}

async function fate(faults: Faults, direction: Direction, call: string): Promise<void> {
  const { slowMs } = faults;
  if (slowMs > 0) await later(slowMs);
  const error = faults.error(direction, call);
  if (error) throw error;
}
