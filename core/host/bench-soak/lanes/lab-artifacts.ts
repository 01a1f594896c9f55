import { SluiceError } from '../../../contract';
import { sha256Hex } from '../../../storage';
import type { SoakWorld } from '../soak-world';
import { createRun } from './lab-points';
import type { Answer, Lane } from './lane';

/** Names are used again, so that the disk does not fill by itself. */
const NAMES = 48;
const MOST_BYTES = 64 * 1024;

/** In the place of a digest: nothing may be there. */
const ABSENT = 'absent';

/** Files of a run, written and read back. */
export async function artifactsLane(world: SoakWorld): Promise<Lane> {
  const { artifacts } = await createRun(world, 'soak artifacts');
  /** By name: digests of what may be there. Only one where the last write was answered. */
  const possible = new Map<string, Set<string>>();
  let turn = 0;
  const address = (name: string): string =>
    `${world.labUrl}/api/2.0/mlflow-artifacts/artifacts/${artifacts}/${name}`;
  const readBack = async (name: string): Promise<Answer> => {
    const answer = await fetch(address(name));
    if (!answer.ok) throw await refused(answer);
    const digest = sha256Hex(new Uint8Array(await answer.arrayBuffer()));
    return possible.get(name)?.has(digest) ? 'right' : 'wrong';
  };
  return {
    system: 'lab',
    name: 'artifacts',
    pauseMs: 250,
    work: async () => {
      const name = `soak/${turn % NAMES}.bin`;
      turn += 1;
      const content = randomBytes(world);
      const digest = sha256Hex(content);
      possible.set(name, new Set([...(possible.get(name) ?? [ABSENT]), digest]));
      const answer = await fetch(address(name), { method: 'PUT', body: content });
      if (!answer.ok) throw await refused(answer);
      await answer.arrayBuffer();
      possible.set(name, new Set([digest]));
      return readBack(name);
    },
    check: async () => {
      const certain = [...possible].filter(([, digests]) => digests.size === 1);
      const lost: string[] = [];
      for (const [name] of certain) {
        const found = await readBack(name).catch(() => 'wrong' as const);
        if (found === 'wrong') lost.push(`artifact ${name}`);
      }
      return { acknowledged: certain.length, lost };
    },
  };
}

function randomBytes({ random }: SoakWorld): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(1 + Math.floor(random() * MOST_BYTES));
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = random() * 256;
  return bytes;
}

async function refused(answer: Response): Promise<SluiceError> {
  return new SluiceError('runtime', `${answer.url} answers ${answer.status}: ${await answer.text()}`);
}
