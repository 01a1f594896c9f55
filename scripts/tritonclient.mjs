import { ensureTritonClient } from './lib/tritonclient.mjs';

// Prints {"python": PATH} or {"problem": WHY}: for tests that drive the server by the official client.
process.stdout.write(JSON.stringify(await ensureTritonClient()));
