// A program as users write one: it never ends its run, and logs up to its last moment.
import { startRun } from 'sluice/lab';

const run = await startRun({ experiment: 'of-a-program' });
run.logParams({ lr: 0.1, depth: 4, isTied: true });
run.setTag('stage', 'first');
for (let step = 0; step < 2500; step += 1) run.logMetrics({ loss: 1 / (step + 1), accuracy: step }, step);
run.logMetric('odd', NaN, 1);
run.setTag('stage', 'last');
await run.logArtifact('checkpoints/1.json', '{"epoch": 1}');
await run.logArtifact('program.mjs', { file: import.meta.filename ?? process.argv[1] });
console.log(run.runId);
