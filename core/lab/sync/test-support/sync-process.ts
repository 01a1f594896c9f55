/**
 * A lab that is killed at any moment: it logs to a few runs and forwards meanwhile. With `finish` it forwards what is left and
 * prints what it has.
 */
import { SyncGround } from './sync-ground';

const RUNS = 3;
const POINTS_PER_TURN = 40;

async function main(folder: string, url: string, start: number, isLast: boolean): Promise<void> {
  const ground = await SyncGround.open({ seed: 1000 + start, folder });
  await ground.sync.add({ name: 'cloud', url });
  process.stdout.write('open\n');
  if (isLast) {
    await ground.sync.now('cloud');
    const runs = ground.runs().map(({ info }) => [info.runId, ground.storedPoints(info.runId)]);
    // Larger than a pipe holds: the process may end once all of it is written.
    process.stdout.write(JSON.stringify(runs), () => process.exit(0));
    return;
  }
  for (let turn = 0; ; turn++) {
    const runIds = ground.runs().map(({ info }) => info.runId);
    if (runIds.length < RUNS) runIds.push(ground.run(`run ${runIds.length}`));
    const points = Array.from({ length: POINTS_PER_TURN }, (_, index) => ({
      ...{
        key: index % 2 ? 'loss' : 'acc',
        step: turn,
        timestampMs: start * 1e6 + turn * 100 + index,
        value: index,
      },
    }));
    ground.log(runIds[turn % runIds.length]!, points);
    await ground.sync.now('cloud');
  }
}

const [, , folder = '', url = '', start = '', mode = ''] = process.argv;
void main(folder, url, Number(start), mode === 'finish');
