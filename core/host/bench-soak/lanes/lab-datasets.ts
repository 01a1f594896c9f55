import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { z } from 'zod';

import { datasetClientOf } from '../../lab/requests/dataset-client';
import type { SoakWorld } from '../soak-world';
import type { Lane } from './lane';

const DATASET = 'soak-data';
const FILES = 8;
const FILE_BYTES = 16 * 1024;
const verified = z.object({ damaged: z.array(z.unknown()) });

/** Versions of a dataset, each with one file changed. */
export async function datasetsLane(world: SoakWorld): Promise<Lane> {
  const folder = join(world.workFolder, DATASET);
  await mkdir(folder);
  for (let index = 0; index < FILES; index += 1)
    await writeFile(join(folder, `${index}.bin`), content(world));
  /** Hashes by number. */
  const pushed = new Map<number, string>();
  return {
    system: 'lab',
    name: 'dataset pushes',
    pauseMs: 2000,
    work: async () => {
      await writeFile(join(folder, `${Math.floor(world.random() * FILES)}.bin`), content(world));
      const client = await datasetClientOf(await world.lab());
      try {
        const { version } = await client.push(DATASET, folder);
        pushed.set(version.number, version.hash);
        return (await client.version(DATASET, String(version.number))).hash === version.hash
          ? 'right'
          : 'wrong';
      } finally {
        await client.close();
      }
    },
    check: async () => {
      const api = await world.lab();
      const client = await datasetClientOf(api);
      const lost: string[] = [];
      try {
        for (const [number, hash] of pushed) {
          const found = await client.version(DATASET, String(number)).catch(() => undefined);
          if (found?.hash !== hash) lost.push(`${DATASET}@${number}`);
        }
      } finally {
        await client.close();
      }
      // Reads every byte again.
      const newest = Math.max(...pushed.keys());
      if (pushed.size > 0) {
        const path = `datasets/${DATASET}/versions/${newest}/verify`;
        const { damaged } = await api.send('POST', path, {}, verified);
        if (damaged.length > 0) lost.push(`${damaged.length} files of ${DATASET}@${newest}`);
      }
      return { acknowledged: pushed.size, lost };
    },
  };
}

function content({ random }: SoakWorld): Uint8Array {
  return Uint8Array.from({ length: FILE_BYTES }, () => random() * 256);
}
