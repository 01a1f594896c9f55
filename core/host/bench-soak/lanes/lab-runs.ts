import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { systemClock } from '../../../base';
import { SluiceError } from '../../../contract';
import { runSchema } from '../../lab/shown-run';
import type { SoakWorld } from '../soak-world';
import type { Lane } from './lane';

const ENTRY = 'soak.sh';
const ENDED = ['succeeded', 'failed', 'stopped', 'lost'];
const PATIENCE_MS = 60_000;
const LOOK_EVERY_MS = 100;
const RESOURCES = { cpus: 1, gpus: 0, memoryBytes: 64 * 2 ** 20 };

/** Programs that the lab runs: what each writes is its own number. */
export async function runsLane(world: SoakWorld): Promise<Lane> {
  const folder = join(world.workFolder, 'program');
  await mkdir(folder);
  await writeFile(join(folder, ENTRY), 'echo "soak $1"\n');
  const launched: string[] = [];
  let turn = 0;
  return {
    system: 'lab',
    name: 'launched runs',
    pauseMs: 1000,
    work: async () => {
      const word = String(turn++);
      const { runId } = await (await world.lab()).send('POST', 'runs', requestOf(folder, word), runSchema);
      launched.push(runId);
      const { state, reason = '' } = await untilEnded(world, runId);
      if (state !== 'succeeded') throw new SluiceError('runtime', `Run ${runId} is ${state}: ${reason}`);
      return (await logOf(world, runId)) === `soak ${word}\n` ? 'right' : 'wrong';
    },
    check: async () => {
      const lost: string[] = [];
      for (const runId of launched) {
        const run = await untilEnded(world, runId).catch(() => undefined);
        if (!run) lost.push(`run ${runId}`);
      }
      return { acknowledged: launched.length, lost };
    },
  };
}

function requestOf(folder: string, word: string): object {
  return {
    folder,
    entry: ENTRY,
    args: [word],
    environment: {},
    resources: RESOURCES,
    engine: 'local',
    priority: 0,
  };
}

/** @throws SluiceError `timeout`, and what the lab answers. */
async function untilEnded(
  world: SoakWorld,
  runId: string,
): Promise<{ readonly state: string; readonly reason?: string | undefined }> {
  const untilMs = world.nowMs() + PATIENCE_MS;
  for (;;) {
    const run = await (await world.lab()).get(`runs/${runId}`, runSchema);
    if (ENDED.includes(run.state)) return run;
    if (world.nowMs() > untilMs)
      throw new SluiceError('timeout', `Run ${runId} is ${run.state} after a minute.`);
    await new Promise<void>((resolve) => systemClock.after(LOOK_EVERY_MS, resolve));
  }
}

async function logOf(world: SoakWorld, runId: string): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of (await world.lab()).stream(`runs/${runId}/log`)) parts.push(part);
  return Buffer.concat(parts).toString('utf8');
}
