// A network in a fifth of its memory: the same answer as with all weights in memory, and a report of both runs.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { check, sluice } from '../sluice.mjs';

await sluice('models', 'import', '--example');
const whole = await sluice('run', 'ppocr', '--input', 'example:receipt');
const streamed = await sluice('run', 'ppocr', '--input', 'example:receipt', '--budget', '3MiB');

const text = streamed.result.lines.map((line) => line.text);
console.log(`\n${text.slice(0, 3).join('\n')}\n...\n`);
check(
  JSON.stringify(streamed.result) === JSON.stringify(whole.result),
  'the streamed answer is the resident one, bit for bit',
);
check(
  streamed.parameterMemoryBytes <= 3 * 2 ** 20,
  `it held ${streamed.parameterMemoryBytes} of ${whole.parameterMemoryBytes} bytes of parameters`,
);

const report = join(mkdtempSync(join(tmpdir(), 'sluice-example-')), 'comparison.html');
await sluice('report', 'compare', whole.runId, streamed.runId, '-o', report);
console.log(`open ${report}`);
