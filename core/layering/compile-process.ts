/** Entry of the process that compiles one model, so that its memory goes with it and it can be killed at any moment. */
import { writeFileSync } from 'node:fs';
import { SluiceError } from '../contract';
import { compileStore, type CompileProgress } from './compile';
import type { CompileEvent } from './compile-client';
import type { CompileRequest } from './compile-request';

/** Progress is told at most this often. */
const PROGRESS_INTERVAL_MS = 50;

function tell(event: CompileEvent, then?: () => void): void {
  process.send?.(event, undefined, undefined, then);
}

async function compile(request: CompileRequest): Promise<void> {
  let lastPhase = '';
  let lastTold = -Infinity;
  const onProgress = (progress: CompileProgress): void => {
    const now = performance.now();
    if (progress.phase === lastPhase && now - lastTold < PROGRESS_INTERVAL_MS) return;
    lastPhase = progress.phase;
    lastTold = now;
    tell({ kind: 'progress', progress });
  };
  try {
    await compileStore(request, onProgress);
    tell({ kind: 'done', peakBytes: process.resourceUsage().maxRSS * 1024 }, () => process.exit(0));
  } catch (error) {
    tell({ kind: 'failed', error: SluiceError.from(error).toWire() }, () => process.exit(1));
  }
}

/** Where memory runs out, Linux ends what asks to be ended first: this import, and not the engine or another's program. */
function endFirst(): void {
  if (process.platform !== 'linux') return;
  try {
    writeFileSync('/proc/self/oom_score_adj', '1000');
  } catch {
    // No /proc here: the kernel chooses by size.
  }
}

endFirst();
process.once('message', (request: CompileRequest) => void compile(request));
// The parent is gone: nobody waits for the result.
process.once('disconnect', () => process.exit(1));
