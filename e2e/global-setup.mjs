import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBuilt } from '../scripts/lib/build.mjs';
import { endToEndEnvironment } from '../scripts/lib/e2e-environment.mjs';

export default async function setup() {
  const prepared = mkdtempSync(join(tmpdir(), 'sluice-e2e-prepared-'));
  process.env.SLUICE_E2E_PREPARED = prepared;
  const stop = await environment();
  return async () => {
    rmSync(prepared, { recursive: true, force: true });
    await stop?.();
  };
}

/** Prepares a `playwright test` that was not started by `npm test`, which has prepared everything already. */
async function environment() {
  if (process.env.SLUICE_E2E_READY !== undefined) return undefined;
  await ensureBuilt(undefined, { skipMissing: true });
  const { env, stop } = await endToEndEnvironment();
  Object.assign(process.env, env);
  return stop;
}
