import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@playwright/test';
import { runSign } from './example-sign';
import { test } from './fixtures';

test.describe.configure({ timeout: 240_000 });
test.use({ library: 'example' });

test(
  'a run is saved as a report, HTML and, in the window, PDF',
  { tag: '@both' },
  async ({ console: { page, ui, saveNextTo }, dataDir, shell }) => {
    await runSign(ui);
    const files = [['Save report', 'run.html', '<!doctype html>'] as const];
    const pdf = ['PDF', 'run.pdf', '%PDF-'] as const;
    const printing = ui.run.root.getByRole('button', { name: 'PDF', exact: true });
    // A browser prints a report itself.
    await expect(printing).toHaveCount(shell === 'electron' ? 1 : 0);
    for (const [button, file, start] of shell === 'electron' ? [...files, pdf] : files) {
      const path = join(dataDir, file);
      await saveNextTo(path);
      await ui.run.root.getByRole('button', { name: button, exact: true }).click();
      await expect(page.getByTestId('report-status')).toContainText('saved', { timeout: 60_000 });
      // Where it went is the dialog's to say, or the browser's.
      await expect(() => expect(readFileSync(path, 'latin1').slice(0, start.length)).toBe(start)).toPass();
    }
  },
);
