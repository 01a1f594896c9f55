import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@playwright/test';
import { tinyChatModel } from '../core/llm/test-support/tiny-chat-model';
import { saveScreen, test } from './fixtures';
import type { ConsolePage } from './pages/console-page';

test.describe.configure({ timeout: 180_000 });

const QUESTION = 'abc abc abc abc: what follows is abc abc abc, and again abc abc abc.';
const MAX_TOKENS = 64;
/** A reply so long that it is still under way when it is stopped. */
const LONG_TOKENS = 1500;

/** A chat model of a few thousand weights: what it says means nothing, how it says it is what counts. */
function writeModel(folder: string): string {
  const path = join(folder, 'tiny-chat.gguf');
  writeFileSync(path, tinyChatModel());
  return path;
}

async function beginWithTinyModel(ui: ConsolePage, folder: string): Promise<void> {
  await ui.ready();
  await ui.open('Language');
  await ui.language.importReady(writeModel(folder));
  await ui.language.begin();
}

test(
  'a chosen model is imported, and what it says is the same with the cache compressed and whole',
  { tag: '@both' },
  async ({ console: { page, ui, chooseFile }, dataDir }) => {
    const path = writeModel(dataDir);
    await chooseFile(path);
    const { language } = ui;
    await ui.ready();
    await ui.open('Language');
    await saveScreen(page, 'language-empty');
    await language.importFile.click();
    await expect(language.newConversation.first()).toBeEnabled({ timeout: 60_000 });
    await saveScreen(page, 'language-no-conversation');
    await language.begin();
    await language.setMaxTokens(MAX_TOKENS);
    await language.ask(QUESTION);
    await language.replyEnds();
    const drafted = await language.replyText();
    expect(drafted.length).toBeGreaterThan(0);
    expect(await language.tokensFrom('accepted')).toBeGreaterThan(0);
    expect(await language.tokensFrom('full')).toBe(0);
    await expect(language.rounds).not.toHaveAttribute('data-rounds', '0');
    await expect(language.acceptance).toContainText('%');
    await expect(language.memory).toContainText(/[KM]iB/);
    await expect(language.map).toContainText('tokens');
    await saveScreen(page, 'language-vericache');

    await language.setMode('Full');
    await language.retry.click();
    await expect.poll(() => language.tokensFrom('full'), { timeout: 60_000 }).toBeGreaterThan(0);
    await language.replyEnds();
    expect(await language.replyText()).toBe(drafted);
    expect(await language.tokensFrom('accepted')).toBe(0);
    await saveScreen(page, 'language-full');
  },
);

// The rest is of the panel and the engine, which are the same in both shells: each is tested in one of them.
test('settings act at once and are kept', async ({ electronConsole: { ui }, dataDir }) => {
  await beginWithTinyModel(ui, dataDir);
  const { language } = ui;
  await language.compressor.selectOption({ index: 1 });
  const chosen = await language.compressor.inputValue();
  await language.setMode('Lossy');
  await language.setMaxTokens(MAX_TOKENS);
  await language.ask(QUESTION);
  await language.replyEnds();
  expect(await language.tokensFrom('lossy')).toBeGreaterThan(0);
  await ui.open('Models');
  await ui.open('Language');
  await expect(language.compressor).toHaveValue(chosen);
});

test('a reply is stopped, goes on, and survives the engine', async ({
  electronConsole: { app, page, ui },
  dataDir,
}) => {
  await beginWithTinyModel(ui, dataDir);
  const { language } = ui;
  await language.setMaxTokens(LONG_TOKENS);
  await language.ask(QUESTION);
  await expect.poll(async () => (await language.replyText()).length, { timeout: 60_000 }).toBeGreaterThan(0);
  await saveScreen(page, 'language-running');
  await language.stop.click();
  await language.replyEnds('cancelled');
  const stopped = await language.replyText();
  await language.setMaxTokens(MAX_TOKENS);
  await language.retry.click();
  await language.replyEnds();
  expect((await language.replyText()).startsWith(stopped)).toBe(true);

  // How long the replies before have become depends on the machine's speed, and the context of this model is short.
  await language.begin();
  await language.setMaxTokens(LONG_TOKENS);
  await language.ask('And then?');
  await expect.poll(async () => (await language.replyText()).length, { timeout: 60_000 }).toBeGreaterThan(0);
  const pid = await app.evaluate(({ app: electron }) => {
    return electron.getAppMetrics().find(({ name }) => name === 'Sluice engine')?.pid;
  });
  process.kill(pid!, 'SIGKILL');
  await language.replyEnds('failed');
  await expect(language.messages.last().getByRole('alert')).toBeVisible();
  await saveScreen(page, 'language-engine-killed');
  await ui.ready();
  await expect(language.messages).toHaveCount(2);
  await language.setMaxTokens(MAX_TOKENS);
  await language.ask('Still there?');
  await language.replyEnds();
});

test('a conversation is renamed and deleted', async ({ webConsole: { page, ui }, dataDir }) => {
  await beginWithTinyModel(ui, dataDir);
  const { language } = ui;
  await expect(language.conversations).toHaveCount(1);
  await language.conversations.first().hover();
  await language.conversations
    .first()
    .getByRole('button', { name: /^Rename/ })
    .click();
  await page.keyboard.type('Pump 7');
  await page.keyboard.press('Enter');
  await expect(language.conversations.first()).toContainText('Pump 7');
  await language.conversations.first().hover();
  await language.conversations
    .first()
    .getByRole('button', { name: /^Delete/ })
    .click();
  await expect(language.conversations.first()).toContainText('Delete it for good?');
  await saveScreen(page, 'language-delete');
  await language.root.getByRole('button', { name: 'Delete the conversation' }).click();
  await expect(language.conversations).toHaveCount(0);
});

test('a file that is no model is refused with the reason', async ({ webConsole: { page, ui }, dataDir }) => {
  const path = writeModel(dataDir);
  truncateSync(path, 4000);
  const { language } = ui;
  await ui.ready();
  await ui.open('Language');
  await language.path.fill(path);
  await language.importPath.click();
  await expect(language.additions.first()).toHaveAttribute('data-state', 'failed');
  await expect(language.additions.first()).toContainText(/gguf|truncated|ends/i);
  await saveScreen(page, 'language-failed-import');
});
