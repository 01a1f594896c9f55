import { ensureMlflowServer } from './lib/mlflow-server.mjs';

// Prints {"python": PATH} or {"problem": WHY}: for the benchmark that logs to the lab and to MLflow's own server.
process.stdout.write(JSON.stringify(await ensureMlflowServer()));
