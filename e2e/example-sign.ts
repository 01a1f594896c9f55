import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect } from '@playwright/test';
import type { ConsolePage } from './pages/console-page';

const DRAWN = readFileSync(resolve(__dirname, '../core/vision/examples/sign.txt'), 'utf8').trim().split('\n');

/** Imports the example and reads the sign with it, streamed. */
export async function readSign(ui: ConsolePage): Promise<void> {
  await ui.ready();
  await ui.open('Models');
  await ui.models.importExampleReady();
  await runSign(ui);
}

/** Reads the sign with the example that is there, streamed. */
export async function runSign(ui: ConsolePage): Promise<void> {
  await ui.ready();
  await ui.open('Run');
  await ui.run.chooseInput(/sign/i);
  await ui.run.chooseMode('async');
  await ui.run.answer();
}

/** What was drawn on it is what the last run read. */
export async function expectSignWasRead(ui: ConsolePage): Promise<void> {
  // The latency may be there a moment before the lines.
  await expect(async () => {
    const lines = await ui.run.lines.allTextContents();
    for (const line of DRAWN) expect(lines.join('\n')).toContain(line);
  }).toPass({ timeout: 15_000 });
}
