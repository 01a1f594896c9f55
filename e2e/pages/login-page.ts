import type { Locator, Page } from '@playwright/test';

/** What `sluice host` shows to a browser without a session. */
export class LoginPage {
  readonly token: Locator;
  readonly note: Locator;

  constructor(readonly page: Page) {
    this.token = page.getByLabel('Token of this host');
    this.note = page.getByRole('alert');
  }

  async logIn(token: string): Promise<void> {
    await this.token.fill(token);
    await this.page.getByRole('button', { name: 'Log in' }).click();
  }
}
