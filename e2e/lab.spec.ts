import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@playwright/test';
import { saveScreen, test } from './fixtures';

test.describe.configure({ timeout: 240_000 });

const STEPS_TO_SEE = 5;

test(
  'a run is launched, its curve moves, it is forked, submitted, and on the board',
  { tag: '@both' },
  async ({ console: { page, ui } }) => {
    const { lab } = ui;
    await ui.ready();
    await ui.open('Lab');
    await expect(lab.startExample).toBeVisible({ timeout: 60_000 });
    await saveScreen(page, 'lab-empty');
    await lab.startExample.click();
    await expect(lab.runPage).toBeVisible({ timeout: 60_000 });

    await expect.poll(() => lab.lastStep('loss'), { timeout: 60_000 }).toBeGreaterThan(0);
    const seen = await lab.lastStep('loss');
    await expect(lab.runState).toHaveAttribute('data-state', 'running');
    await saveScreen(page, 'lab-run-live');
    await expect.poll(() => lab.lastStep('loss'), { timeout: 60_000 }).toBeGreaterThan(seen + STEPS_TO_SEE);
    await expect(lab.log).toContainText('epoch');
    await lab.runEnds('succeeded');
    const parent = await lab.runPage.getByRole('heading', { level: 2 }).innerText();
    await saveScreen(page, 'lab-run-ended');

    await lab.fork.click();
    const args = lab.forkForm.getByRole('textbox', { name: 'Arguments' });
    await args.fill(
      (await args.inputValue()).replace('--epochs 60', '--epochs 70').replace('--pace 100', '--pace 0'),
    );
    await lab.forkForm.getByRole('textbox', { name: 'CPUs' }).fill('0.5');
    await saveScreen(page, 'lab-fork');
    await lab.forkForm.getByRole('button', { name: 'Fork' }).click();
    await expect(lab.runPage.getByRole('heading', { level: 2 })).not.toHaveText(parent, { timeout: 30_000 });
    await lab.runEnds('succeeded');
    await expect(lab.runPage.getByText(parent)).toBeVisible();
    // The state may be told before the chart has asked for the last points.
    await expect.poll(() => lab.lastStep('loss'), { timeout: 30_000 }).toBe(70);

    await lab.submit.click();
    const competition = lab.submitForm.getByLabel('Competition');
    await expect(competition).toBeEnabled({ timeout: 30_000 });
    await competition.selectOption('box-state');
    await lab.submitForm.getByRole('button', { name: 'Submit' }).click();
    await expect(lab.submitForm.getByRole('status')).toContainText('on its way', { timeout: 30_000 });
    await lab.view('Board');
    await lab.competitions.filter({ hasText: 'Which state' }).click();
    await expect(lab.submissions.first()).toHaveAttribute('data-state', 'scored', { timeout: 120_000 });
    await expect(lab.boardRows.first()).toHaveAttribute('data-rank', '1');
    await expect(lab.boardRows.first()).toHaveAttribute('data-own', 'true');
    await saveScreen(page, 'lab-board');

    await lab.view('Runs');
    await expect(lab.rows).toHaveCount(2);
    await lab.table.focus();
    await page.keyboard.press('Control+a');
    await page.keyboard.press('c');
    await expect(lab.compare).toBeVisible();
    await saveScreen(page, 'lab-compare-plots');
    await lab.compare.getByText('Differences', { exact: true }).click();
    await expect(lab.differences).toContainText('epochs');
    const groups = lab.differences.getByTestId('difference-group');
    await expect(groups.filter({ hasText: 'Resources' })).toContainText(/CPUs\s*\S*0\.5/);
    await expect(groups.filter({ hasText: 'Code' })).toContainText('the same in all');
    await saveScreen(page, 'lab-compare');
  },
);

// Of the engine, which is the same in both shells.
test('a lab whose server hangs says so, and goes on when it answers', async ({
  webConsole: { page, ui },
  engineDir,
}) => {
  const { lab } = ui;
  await ui.ready();
  await ui.open('Lab');
  await expect(lab.startExample).toBeVisible({ timeout: 60_000 });
  const { mark } = JSON.parse(readFileSync(join(engineDir, 'lab', 'server.json'), 'utf8')) as {
    mark: string;
  };
  process.kill(Number.parseInt(mark, 10), 'SIGSTOP');
  try {
    await expect(lab.failed).toContainText('The lab does not answer', { timeout: 60_000 });
    await expect(lab.failed).toContainText('has not answered for 15 s');
    await saveScreen(page, 'lab-hangs');
  } finally {
    process.kill(Number.parseInt(mark, 10), 'SIGCONT');
  }
  await expect(lab.failed).toBeHidden({ timeout: 60_000 });
  await lab.startExample.click();
  await expect(lab.runPage).toBeVisible({ timeout: 60_000 });
});

// Of the engine, which is the same in both shells; a browser's page can go without it.
test('a run outlives its page and the lab’s server, which comes back', async ({
  webConsole: { page, ui },
  engineDir,
}) => {
  const { lab } = ui;
  await ui.ready();
  await ui.open('Lab');
  await expect(lab.startExample).toBeVisible({ timeout: 60_000 });
  await lab.startExample.click();
  await expect.poll(() => lab.lastStep('loss'), { timeout: 60_000 }).toBeGreaterThan(0);
  const { mark } = JSON.parse(readFileSync(join(engineDir, 'lab', 'server.json'), 'utf8')) as {
    mark: string;
  };
  process.kill(Number.parseInt(mark, 10), 'SIGKILL');
  await page.reload();
  await ui.ready();
  await ui.open('Lab');
  await expect(lab.rows).toHaveCount(1, { timeout: 60_000 });
  await lab.rows.first().dblclick();
  await lab.runEnds('succeeded');
  await lab.back.click();
  await lab.filter.fill('no such run');
  await expect(lab.rows).toHaveCount(0);
  await saveScreen(page, 'lab-filtered');
});
