import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { electronForTests } from './electron.mjs';
import { SetupError, warn } from './terminal.mjs';
import { startXvfb } from './xvfb.mjs';

/**
 * Finds what the end-to-end tests run in and tells them through the environment: SLUICE_E2E_ELECTRON,
 * SLUICE_E2E_ELECTRON_ARGS (JSON), SLUICE_E2E_CHROMIUM, VK_ICD_FILENAMES and DISPLAY. What can't be had stays unset,
 * and the tests that need it are skipped with the reason in SLUICE_E2E_NO_ELECTRON or SLUICE_E2E_NO_CHROMIUM.
 *
 * @returns {Promise<{env: Record<string, string>, stop: () => Promise<void>}>}
 */
export async function endToEndEnvironment() {
  const env = {};
  let stop = async () => {};
  const chromium = findOnPath(['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']);
  if (chromium !== undefined) env.SLUICE_E2E_CHROMIUM = chromium;
  else env.SLUICE_E2E_NO_CHROMIUM = 'no Chromium on the PATH';
  try {
    const electron = await electronForTests();
    env.SLUICE_E2E_ELECTRON = electron.executablePath;
    env.SLUICE_E2E_ELECTRON_ARGS = JSON.stringify(electron.appArgs);
    if (process.platform === 'linux') {
      if (process.env.VK_ICD_FILENAMES === undefined) env.VK_ICD_FILENAMES = electron.vulkanIcdPath;
      const xvfb = await startXvfb();
      env.DISPLAY = xvfb.display;
      stop = xvfb.stop;
    }
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    delete env.SLUICE_E2E_ELECTRON;
    env.SLUICE_E2E_NO_ELECTRON = error.message;
  }
  for (const reason of [env.SLUICE_E2E_NO_CHROMIUM, env.SLUICE_E2E_NO_ELECTRON]) {
    if (reason !== undefined) warn(`Skipped end-to-end tests: ${reason}`);
  }
  return { env, stop };
}

function findOnPath(names) {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // not there, or not ours to run: either way the next candidate is asked
  }
}
