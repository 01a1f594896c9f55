import AxeBuilder from '@axe-core/playwright';
import { expect } from '@playwright/test';
import { test } from './fixtures';
import { PANELS } from './pages/console-page';

test('axe finds nothing in any panel, in either theme', async ({ webConsole: { page, ui } }) => {
  await ui.ready();
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    for (const name of PANELS) {
      await ui.open(name);
      const { violations } = await new AxeBuilder({ page }).analyze();
      const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`);
      expect(found, `${name}, ${colorScheme}`).toEqual([]);
    }
  }
});

test('the rail, the panels and the budget are reached by keyboard alone', async ({
  webConsole: { page, ui },
}) => {
  await ui.ready();
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
