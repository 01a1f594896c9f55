/**
 * Preloaded (`--require`) into the processes of a soak, and into their worker threads: reads and writes of the soak's
 * folder go wrong, or take long, and the wall clock jumps, while a file says so. The product's own code knows nothing of it.
 */
import { readFileSync } from 'node:fs';

import { seededRandom } from '../../../base';
import { FAULT_VARIABLES, NO_FAULTS, readFaultState, type FaultState } from './fault-state';
import { noteMemory } from './note-memory';
import { patchClock } from './patch-clock';
import { patchFiles } from './patch-files';

/** The file is looked at that often at most. */
const LOOK_EVERY_MS = 20;

/** Looks at the file when it is asked, and not too often: threads that wait can't run timers. */
function watched(file: string): () => FaultState {
  let state = NO_FAULTS;
  let lookedMs = -Infinity;
  return () => {
    const nowMs = performance.now();
    if (nowMs - lookedMs < LOOK_EVERY_MS) return state;
    lookedMs = nowMs;
    state = readFaultState(file, readUnpatched);
    return state;
  };
}

const readUnpatched = readFileSync;
const {
  [FAULT_VARIABLES.file]: file,
  [FAULT_VARIABLES.folder]: folder,
  [FAULT_VARIABLES.memory]: memoryFolder,
} = process.env;
if (memoryFolder !== undefined) noteMemory(memoryFolder);
if (file !== undefined && folder !== undefined) {
  const stateNow = watched(file);
  patchFiles(folder, stateNow, seededRandom(Number(process.env[FAULT_VARIABLES.seed] ?? 0) + process.pid));
  patchClock(() => stateNow().clockOffsetMs);
}
