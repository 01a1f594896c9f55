import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, type Page } from '@playwright/test';
import { saveScreen, test } from './fixtures';
import type { ConsolePage } from './pages/console-page';

const RECEIPT = readFileSync(resolve(__dirname, '../core/vision/examples/receipt.txt'), 'utf8')
  .trim()
  .split('\n');

test.describe.configure({ timeout: 180_000 });

/** Takes the whole tour by keys; the focus is where the reader acts next at every step. */
async function takeTour(page: Page, ui: ConsolePage, screens: string): Promise<void> {
  await ui.ready();
  const offer = page.getByTestId('tour-offer');
  const take = offer.getByRole('button', { name: 'Take the tour' });
  await expect(offer).toBeVisible();
  await expect(page.getByTestId('tour')).toHaveCount(0);
  for (let presses = 0; presses < 30; presses++) {
    if ((await take.and(page.locator(':focus')).count()) > 0) break;
    await page.keyboard.press('Tab');
  }
  await page.keyboard.press('Enter');

  const callout = page.getByTestId('tour');
  const step = (id: string) => expect(callout).toHaveAttribute('data-tour-callout', id, { timeout: 60_000 });
  const focused = (name: RegExp) =>
    expect(callout.getByRole('button', { name })).toBeFocused({ timeout: 60_000 });
  await step('example');
  await focused(/import the example/i);
  await saveScreen(page, `tour-${screens}-example`);
  await page.keyboard.press('Enter');
  await focused(/^next$/i);
  await page.keyboard.press('Enter');

  await step('run');
  await focused(/run it/i);
  await page.keyboard.press('Enter');

  await step('text');
  await focused(/^next$/i);
  await expect(callout).toContainText(/\d\s*m?s/);
  await saveScreen(page, `tour-${screens}-text`);
  await page.keyboard.press('ArrowRight');

  await step('curve');
  await focused(/by keyboard/i);
  await page.keyboard.press('Enter');
  await expect(ui.run.budget).toBeFocused();
  const before = await ui.run.budget.inputValue();
  for (let presses = 0; presses < 5; presses++) await page.keyboard.press('ArrowRight');
  expect(Number(await ui.run.budget.inputValue())).toBeGreaterThan(Number(before));
  await expect(callout).toContainText('The budget is');
  await saveScreen(page, `tour-${screens}-curve`);
  await page.keyboard.press('Enter');

  await step('timeline');
  await expect(ui.timeline.canvas).toBeVisible();
  await focused(/^next$/i);
  await saveScreen(page, `tour-${screens}-timeline`);
  await page.keyboard.press('Enter');

  await step('end');
  await focused(/finish/i);
  await saveScreen(page, `tour-${screens}-end`);
  await page.keyboard.press('Enter');
  await expect(callout).toHaveCount(0);
}

async function expectReceiptOnScreen(ui: ConsolePage): Promise<void> {
  await expect(ui.run.lines.first()).toBeVisible();
  const lines = (await ui.run.lines.allTextContents()).join('\n');
  for (const line of RECEIPT.slice(0, 3)) expect(lines).toContain(line);
}

test('a fresh profile takes the tour by keyboard alone and ends with the receipt’s text', async ({
  electronConsole: { page, ui },
}) => {
  await takeTour(page, ui, 'electron');
  await expectReceiptOnScreen(ui);
});

// Each shell has a tour of its own: the window's is taken to its end, the browser's is left and taken up again.
test('the tour works in a browser, is left by Escape and taken up again, and is offered once', async ({
  webConsole: { page, ui },
}) => {
  await ui.ready();
  await page.getByTestId('tour-offer').getByRole('button', { name: 'Take the tour' }).click();
  const callout = page.getByTestId('tour');
  await expect(callout).toHaveAttribute('data-tour-callout', 'example');
  // Nothing is blocked: the reader may go elsewhere meanwhile.
  await ui.open('Device');
  await expect(callout).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(callout).toHaveCount(0);
  await page.reload();
  await ui.ready();
  await expect(page.getByTestId('tour-offer')).toHaveCount(0);
  await page.keyboard.press('Control+k');
  await page.keyboard.type('tour');
  await page.keyboard.press('Enter');
  await expect(callout).toHaveAttribute('data-tour-callout', 'example');
});
