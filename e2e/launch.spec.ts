import { expect } from '@playwright/test';
import { saveScreen, test } from './fixtures';
import { PANELS } from './pages/console-page';

test('the console opens in Electron and shows every panel', async ({ electronConsole: { page, ui } }) => {
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  await ui.ready();
  await expect(ui.budget).toBeVisible();
  for (const name of PANELS) {
    await ui.open(name);
    await saveScreen(page, `electron-${name.toLowerCase()}`);
  }
  expect(faults).toEqual([]);
});

test('number keys switch panels', async ({ electronConsole: { page, ui } }) => {
  await ui.ready();
  await ui.open('Models');
  await page.locator('body').press('1');
  await expect(ui.panel('Run')).toBeVisible();
});

test('the same console opens in a browser', async ({ webConsole: { page, ui } }) => {
  await ui.ready();
  await expect(ui.budget).toBeVisible();
  for (const name of PANELS) {
    await ui.open(name);
    await saveScreen(page, `browser-${name.toLowerCase()}`);
  }
});
