import { ensureBuilt } from './lib/build.mjs';
import { main } from './lib/terminal.mjs';

await main(async () => {
  await ensureBuilt();
  return 0;
});
