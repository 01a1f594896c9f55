import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@playwright/test';
import { test } from './fixtures';

test.describe.configure({ timeout: 240_000 });

test('a run is saved as a report, HTML and PDF', async ({ electronConsole: { app, page, ui }, dataDir }) => {
  await ui.ready();
  await ui.open('Models');
  await page
    .getByRole('button', { name: 'Import example' })
    .or(page.getByRole('button', { name: /example/i }))
    .first()
    .click();
  await expect(page.locator('[data-testid=model-row][data-model=ppocr][data-state=ready]')).toBeVisible({
    timeout: 120_000,
  });
  await ui.open('Run');
  await ui.run.runOnce.click();
  await expect(ui.run.state).toHaveAttribute('data-state', 'done', { timeout: 120_000 });
  for (const [button, file, start] of [
    ['Save report', 'run.html', '<!doctype html>'],
    ['PDF', 'run.pdf', '%PDF-'],
  ] as const) {
    const path = join(dataDir, file);
    await app.evaluate(({ dialog }, filePath) => {
      dialog.showSaveDialog = () => Promise.resolve({ canceled: false, filePath });
    }, path);
    await ui.run.root.getByRole('button', { name: button, exact: true }).click();
    await expect(page.getByTestId('report-status')).toContainText(file, { timeout: 60_000 });
    expect(readFileSync(path, 'latin1').slice(0, start.length)).toBe(start);
  }
});
