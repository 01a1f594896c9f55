import { expect, type Locator } from '@playwright/test';

/** Picks the first choice whose text matches, in a native select, a listbox behind a button, or a radio group. */
export async function choose(field: Locator, choice: RegExp): Promise<void> {
  await expect(field.first()).toBeVisible();
  const shown = field.first();
  const role = await shown.getAttribute('role');
  const isSelect = await shown.evaluate((element) => (element as { tagName: string }).tagName === 'SELECT');
  if (isSelect) {
    const option = field.locator('option').filter({ hasText: choice }).first();
    await field.selectOption((await option.getAttribute('value')) ?? '');
  } else if (role === 'radiogroup') {
    await field.getByText(choice).first().click();
  } else {
    await field.first().click();
    await field.page().getByRole('option').filter({ hasText: choice }).first().click();
  }
}
