import { ensureVenv } from './python-venv.mjs';

/** Old enough for the Pythons in use, new enough to name every datatype. */
const REQUIREMENT = 'tritonclient[http,grpc]>=2.40,<3';

/**
 * Installs the official Python client of the Open Inference Protocol, for HTTP and gRPC, below .cache.
 *
 * @returns {Promise<{python: string} | {problem: string}>} the interpreter that can import it, or why there is none.
 */
export function ensureTritonClient() {
  return ensureVenv('tritonclient', REQUIREMENT, 'tritonclient.http, tritonclient.grpc');
}
