import { ensureBuilt } from '../scripts/lib/build.mjs';
import { endToEndEnvironment } from '../scripts/lib/e2e-environment.mjs';

/** Prepares a `playwright test` that was not started by `npm test`, which has prepared everything already. */
export default async function setup() {
  if (process.env.SLUICE_E2E_READY !== undefined) return undefined;
  await ensureBuilt(undefined, { skipMissing: true });
  const { env, stop } = await endToEndEnvironment();
  Object.assign(process.env, env);
  return stop;
}
