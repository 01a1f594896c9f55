import { ensureBuilt } from './lib/build.mjs';
import { installedVulkanDriver } from './lib/electron.mjs';

/** Runs once before the unit tests: some start worker files and processes from out/main. */
export async function setup() {
  await ensureBuilt(['main'], { skipMissing: true });
  const driver = installedVulkanDriver();
  // Lets the webgpu tests run where there is no GPU. They skip themselves when it is not there.
  if (process.env.VK_ICD_FILENAMES === undefined && driver !== undefined) {
    process.env.VK_ICD_FILENAMES = driver;
  }
}
