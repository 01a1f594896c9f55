import { expect, type Locator, type Page } from '@playwright/test';

export class LanguagePanel {
  readonly root: Locator;
  readonly importFile: Locator;
  readonly path: Locator;
  readonly importPath: Locator;
  /** Imports and downloads under way, and those that failed. */
  readonly additions: Locator;
  readonly newConversation: Locator;
  readonly conversations: Locator;
  readonly conversation: Locator;
  readonly message: Locator;
  readonly send: Locator;
  readonly stop: Locator;
  readonly retry: Locator;
  readonly messages: Locator;
  readonly rounds: Locator;
  readonly acceptance: Locator;
  readonly legend: Locator;
  readonly memory: Locator;
  readonly map: Locator;
  readonly compressor: Locator;
  readonly ratio: Locator;

  constructor(page: Page) {
    this.root = page.getByTestId('panel-language');
    this.importFile = this.root.getByRole('button', { name: /import a gguf file/i });
    this.path = this.root.getByRole('textbox', { name: /engine’s machine/ });
    this.importPath = this.root.getByRole('button', { name: 'Import it' });
    this.additions = this.root.getByTestId('addition-row');
    this.newConversation = this.root.getByRole('button', {
      name: /^(new conversation|begin a conversation)$/i,
    });
    this.conversations = this.root.getByTestId('conversation-row');
    this.conversation = this.root.getByTestId('conversation');
    this.message = this.root.getByRole('textbox', { name: 'Message' });
    this.send = this.root.getByRole('button', { name: 'Send', exact: true });
    this.stop = this.root.getByRole('button', { name: 'Stop', exact: true });
    this.retry = this.root.getByRole('button', { name: /^(retry|go on)$/i });
    this.messages = this.root.getByTestId('message');
    this.rounds = this.root.getByTestId('rounds-canvas');
    this.acceptance = this.root.getByTestId('language-acceptance');
    this.legend = this.root.getByTestId('origin-legend');
    this.memory = this.root.getByTestId('cache-memory');
    this.map = this.root.getByTestId('cache-map');
    this.compressor = this.root.getByLabel('Compressor', { exact: true });
    this.ratio = this.root.getByRole('textbox', { name: 'Ratio' });
  }

  /** Imports a file of the engine's machine by its path and waits until a conversation can be begun with it. */
  async importReady(path: string, timeoutMs = 60_000): Promise<void> {
    await this.path.fill(path);
    await this.importPath.click();
    await expect(this.newConversation.first()).toBeEnabled({ timeout: timeoutMs });
  }

  async begin(): Promise<void> {
    await this.newConversation.first().click();
    await expect(this.conversation).toBeVisible();
    await expect(this.messages).toHaveCount(0);
  }

  /** Sets the length at which replies end at the latest. */
  async setMaxTokens(tokens: number): Promise<void> {
    const field = this.root.getByRole('textbox', { name: 'Max tokens' });
    if (!(await field.isVisible())) await this.root.getByText('Sampling').click();
    await field.fill(String(tokens));
    await field.press('Enter');
  }

  async setMode(mode: 'Full' | 'VeriCache' | 'Lossy'): Promise<void> {
    await this.root.getByRole('radiogroup', { name: 'Mode' }).getByText(mode, { exact: true }).click();
    await expect(this.root.getByRole('radio', { name: mode })).toBeChecked();
  }

  /** Sends a message and waits until its reply is under way. */
  async ask(text: string): Promise<void> {
    await this.message.fill(text);
    await this.message.press('Enter');
    await expect(this.messages.last()).toHaveAttribute('data-role', 'assistant');
  }

  async replyEnds(state: 'done' | 'cancelled' | 'failed' = 'done', timeoutMs = 60_000): Promise<void> {
    await expect(this.messages.last()).toHaveAttribute('data-state', state, { timeout: timeoutMs });
  }

  /** Text of the last reply. */
  async replyText(): Promise<string> {
    return (await this.messages.last().getByTestId('message-text').textContent()) ?? '';
  }

  /** Tokens of the shown reply that came one way. */
  async tokensFrom(origin: string): Promise<number> {
    const entry = this.legend.locator(`[data-origin-count="${origin}"]`);
    return Number(await entry.getAttribute('data-count'));
  }
}
