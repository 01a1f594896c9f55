import { join } from 'node:path';

import { WEIGHTS_FILE } from '../../layering';
import {
  allocateNativeMemory,
  OrtSession,
  releasePages,
  type NativeMemory,
  type OrtEnvironment,
} from '../../ort';
import { closeDirect, ioError, openDirect, readFully } from '../../storage';
import { nextStep } from '../decoder/resident-steps';
import { COPYING, corruptStep, sumOf } from './store-step';
import { paddedBytes, type StoredStep, type StoredSteps } from './stored-steps';

/** Makes the sessions that stay. @throws SluiceError `io`, `corrupt-store`, `runtime`, `cancelled`. */
export async function loadResident(
  environment: OrtEnvironment,
  store: StoredSteps,
  steps: ReadonlySet<number>,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<number, OrtSession>> {
  const sessions = new Map<number, OrtSession>();
  if (steps.size === 0) return sessions;
  const path = join(store.folder, WEIGHTS_FILE);
  const largest = Math.max(...[...steps].map((step) => paddedBytes(store.steps[step]!)));
  const memory = allocateNativeMemory(largest);
  const file = openDirect(path);
  try {
    for (const step of steps) {
      await nextStep(signal);
      const stored = store.steps[step]!;
      readStep(file.fd, memory, store.folder, stored, path);
      const weights = memory.bytes.subarray(0, stored.byteLength);
      sessions.set(step, OrtSession.create(environment, weights, COPYING, stored));
    }
    return sessions;
  } catch (error) {
    for (const session of sessions.values()) session.release();
    throw error;
  } finally {
    closeDirect(file);
    releasePages(memory);
  }
}

function readStep(fd: number, memory: NativeMemory, folder: string, step: StoredStep, path: string): void {
  const byteLength = paddedBytes(step);
  let read: number;
  try {
    read = readFully(fd, memory.bytes, byteLength, step.fileOffset);
  } catch (cause) {
    throw ioError(`Can't read ${step.name} of ${path}`, cause);
  }
  if (read !== byteLength || sumOf(memory, byteLength) !== step.sum) throw corruptStep(folder, step.name);
}
