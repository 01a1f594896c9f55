import { defineConfig } from '@playwright/test';
import type { ShellOptions } from './fixtures';

export default defineConfig<ShellOptions>({
  testDir: '.',
  testMatch: '*.spec.ts',
  globalSetup: './global-setup.mjs',
  outputDir: '../test-results/e2e',
  // Whole applications with an engine each: side by side they would only slow each other on a small machine.
  workers: 1,
  fullyParallel: false,
  timeout: 90_000,
  expect: { timeout: 15_000 },
  retries: 0,
  forbidOnly: process.env['CI'] !== undefined,
  reporter: 'list',
  use: { actionTimeout: 15_000, trace: 'off' },
  // One console, two shells: what differs between them (dialogs and uploads, ports and sockets) is tested in both.
  projects: [
    { name: 'electron', use: { shell: 'electron' } },
    { name: 'chromium', grep: /@both/, use: { shell: 'chromium' } },
  ],
});
