import { ensureVenv } from './python-venv.mjs';

/** The client alone, without the server and the model libraries. */
const REQUIREMENT = 'mlflow-skinny>=3,<4';

/**
 * Installs the official MLflow client for Python.
 *
 * @returns {Promise<{python: string} | {problem: string}>} the interpreter that can import it, or why there is none.
 */
export function ensureMlflowClient() {
  return ensureVenv('mlflow-client', REQUIREMENT, 'mlflow');
}
