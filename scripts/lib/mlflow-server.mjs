import { ensureVenv } from './python-venv.mjs';

/** Its `mlflow server` is what the lab is measured beside. */
const REQUIREMENT = 'mlflow>=3,<4';

/** @returns {Promise<{python: string} | {problem: string}>} an interpreter with `mlflow`, server included. */
export function ensureMlflowServer() {
  return ensureVenv('mlflow-server', REQUIREMENT, 'mlflow.server');
}
