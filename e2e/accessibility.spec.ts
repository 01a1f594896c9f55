import AxeBuilder from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';
import { saveScreen, test } from './fixtures';
import { PANELS } from './pages/console-page';

// In a browser alone: the page is the same in both shells, and axe takes its time.
async function expectNoViolations(page: Page, where: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`);
  expect(found, where).toEqual([]);
}

test('axe finds nothing in any panel, in either theme', async ({ webConsole: { page, ui } }) => {
  await ui.ready();
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    for (const name of PANELS) {
      await ui.open(name);
      await expectNoViolations(page, `${name}, ${colorScheme}`);
    }
  }
});

test('the rail, the panels and the budget are reached by keyboard alone', async ({
  webConsole: { page, ui },
}) => {
  await ui.ready();
  // It is there once the engine has told it.
  await expect(page.getByTestId('budget')).toBeVisible();
  const reached = new Set<string>();
  for (let i = 0; i < 40; i++) {
    await page.keyboard.press('Tab');
    reached.add(
      await page.evaluate<string>(
        "document.activeElement?.getAttribute('data-testid') ?? document.activeElement?.textContent?.trim() ?? ''",
      ),
    );
  }
  expect([...reached]).toEqual(expect.arrayContaining(['budget']));
});

test('axe finds nothing with palette, keys, help, a chart’s table or the tour open', async ({
  webConsole: { page, ui },
}) => {
  await ui.ready();
  const device = await ui.open('Device');
  const cpu = device.getByRole('figure', { name: /^Processor/ });
  await expect(cpu).toBeVisible();
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.keyboard.press('Control+k');
    await page.keyboard.type('stall');
    await expect(page.getByRole('option', { name: /What is stall/ })).toBeVisible();
    await expectNoViolations(page, `palette, ${colorScheme}`);
    await saveScreen(page, `palette-${colorScheme}`);
    await page.keyboard.press('Escape');

    await page.keyboard.press('Shift+?');
    await expect(page.getByTestId('shortcuts')).toBeVisible();
    await expectNoViolations(page, `shortcuts, ${colorScheme}`);
    await saveScreen(page, `shortcuts-${colorScheme}`);
    await page.keyboard.press('Escape');
    await expect(page.getByTestId('shortcuts')).toHaveCount(0);

    const term = device.locator('dfn').filter({ hasText: 'Processor' });
    await term.focus();
    await expect(page.getByTestId('help')).toHaveAttribute('role', 'tooltip');
    await page.keyboard.press('F1');
    await expect(page.getByTestId('help')).toHaveAttribute('role', 'dialog');
    await expect(page.getByTestId('help')).toContainText('What to do');
    await expectNoViolations(page, `help, ${colorScheme}`);
    await saveScreen(page, `help-${colorScheme}`);
    await page.keyboard.press('Escape');
    await expect(page.getByTestId('help')).toHaveCount(0);

    await cpu.getByRole('button', { name: /Show as table/ }).click();
    await expect(cpu.getByRole('table')).toBeVisible();
    await expectNoViolations(page, `table, ${colorScheme}`);
    await saveScreen(page, `chart-table-${colorScheme}`);
    await cpu.getByRole('button', { name: 'Show as plot' }).click();
  }
  await page.keyboard.press('Control+k');
  await page.keyboard.type('tour');
  await page.keyboard.press('Enter');
  await expect(page.getByTestId('tour')).toBeVisible();
  await expectNoViolations(page, 'tour');
});

test('words a third longer fit into the smallest window', async ({ webConsole: { page, ui } }) => {
  await page.setViewportSize({ width: 1024, height: 640 });
  await page.emulateMedia({ reducedMotion: 'reduce', forcedColors: 'active' });
  const address = new URL(page.url());
  address.searchParams.set('lang', 'pseudo');
  await page.goto(address.href);
  await ui.ready();
  await expect(page.getByTestId('panel-run')).toContainText('⟦');
  await saveScreen(page, 'pseudo-narrow');
  const widths = await page.evaluate<readonly [number, number]>(
    '[document.documentElement.scrollWidth, window.innerWidth]',
  );
  expect(widths[0]).toBeLessThanOrEqual(widths[1]);
});
