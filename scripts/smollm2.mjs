import { ensureSmolLm2 } from './lib/smollm2.mjs';

// Prints {"model": PATH} or {"problem": WHY}: for tests that need a real language model.
process.stdout.write(JSON.stringify(await ensureSmolLm2()));
