// Launch a training program twice, compare the runs on one page, and search its learning rate.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { check, sluice } from '../sluice.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const program = [
  '--folder',
  here('program'),
  '-e',
  'train.mjs',
  '--env',
  `SLUICE_CLIENT=${here('../../../out/main/lab-client.js')}`,
];

const slow = await sluice('lab', 'run', ...program, '--args', '--lr 0.005');
const fast = await sluice('lab', 'run', ...program, '--args', '--lr 0.1');
check(slow.state === 'succeeded' && fast.state === 'succeeded', `${slow.name} and ${fast.name} succeeded`);

const report = join(mkdtempSync(join(tmpdir(), 'sluice-example-')), 'comparison.html');
await sluice('report', 'compare', slow.name, fast.name, '-o', report);
console.log(`open ${report}`);

const search = await sluice(
  ...['lab', 'automl', 'run', ...program, '--space', here('program/space.json')],
  ...[
    '--metric',
    'loss',
    '--direction',
    'min',
    '--max-resource',
    '9',
    '--algorithm',
    'asha',
    '--trials',
    '4',
  ],
);
check(JSON.stringify(search).includes('"lr"'), 'four trials were made, and the best is known');
