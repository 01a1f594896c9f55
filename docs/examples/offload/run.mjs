// Train a policy on a simulated scenario, ask it for one decision, take an endpoint away, and decide its log again.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { check, sluice } from '../sluice.mjs';

const folder = mkdtempSync(join(tmpdir(), 'sluice-example-'));
const checkpoint = join(folder, 'policy.json');
const log = join(folder, 'decisions.db');
try {
  const scenario = ['--users', '2', '--seed', '1'];
  await sluice('offload', 'train', ...scenario, '--steps', '300', '--checkpoint', checkpoint, '--log', log);
  const decided = await sluice('offload', 'decide', ...scenario, '--checkpoint', checkpoint);
  console.log(JSON.stringify(decided, null, 2).slice(0, 600));

  const without = await sluice(
    'offload',
    'decide',
    ...scenario,
    '--checkpoint',
    checkpoint,
    '--down',
    'edge',
  );
  check(!JSON.stringify(tiersOf(without)).includes('edge'), 'with the edge gone, no request goes there');

  const replayed = await sluice('offload', 'replay', ...scenario, '--log', log);
  check(replayed !== undefined, 'its log was decided again');
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Tiers that were chosen, however deep they stand. */
function tiersOf(value) {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => (key === 'tier' ? [inner] : tiersOf(inner)));
}
