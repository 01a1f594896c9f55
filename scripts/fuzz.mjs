import { run } from './lib/process.mjs';
import { main } from './lib/terminal.mjs';

/** The unit tests, their properties on many new random values. Arguments go to Vitest, such as a folder. */
await main(async () => {
  const args = ['vitest', 'run', '--testTimeout', '600000', ...process.argv.slice(2)];
  const { code } = await run('npx', args, { env: { SLUICE_FUZZ: '1' }, show: true });
  return code;
});
