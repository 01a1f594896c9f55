// A training as its users write one: what is learned at an epoch depends on --x alone.
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

const given = process.argv.slice(2);
const options = Object.fromEntries(
  given.flatMap((text, at) => (text.startsWith('--') ? [[text.slice(2), given[at + 1]]] : [])),
);
const {
  MLFLOW_TRACKING_URI: url,
  MLFLOW_RUN_ID: run,
  MLFLOW_EXPERIMENT_ID: experiment,
  SLUICE_CHECKPOINT: checkpoint,
} = process.env;

if (options.broken === 'true') {
  console.error('It can not learn.');
  process.exit(3);
}
let { epoch } = checkpoint === undefined ? { epoch: 0 } : JSON.parse(readFileSync(checkpoint, 'utf8'));
while (epoch < Number(options.resource)) {
  epoch += 1;
  if (epoch > Number(options.holdAfter ?? Infinity)) await untilThere(options.gate);
  await send('POST', 'mlflow/runs/log-metric', {
    run_id: run,
    key: 'val_acc',
    value: (1 - (Number(options.x) - 0.7) ** 2) * (epoch / (epoch + 1)),
    timestamp: Date.now(),
    step: epoch,
  });
  // After the metric: whoever stops a trial at its last report must leave it the time for this.
  const place = `mlflow-artifacts/artifacts/${experiment}/${run}/artifacts/checkpoints/${epoch}.json`;
  await send('PUT', place, { epoch });
}

/** Like MLflow's clients it tries again while the server is away, or says that it is going (503). */
async function send(method, path, body) {
  for (;;) {
    try {
      const answer = await fetch(`${url}/api/2.0/${path}`, { method, body: JSON.stringify(body) });
      if (answer.ok) return;
      if (answer.status === 503) {
        await answer.text();
        await pause(50);
        continue;
      }
      console.error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
      process.exit(4);
    } catch {
      await pause(50);
    }
  }
}

async function untilThere(file) {
  while (!existsSync(file)) await pause(20);
}
