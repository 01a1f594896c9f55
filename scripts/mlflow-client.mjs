import { ensureMlflowClient } from './lib/mlflow-client.mjs';

// Prints {"python": PATH} or {"problem": WHY}: for tests that drive the lab by the official client.
process.stdout.write(JSON.stringify(await ensureMlflowClient()));
