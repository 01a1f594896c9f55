import { expect } from '@playwright/test';
import { expectSignWasRead, readSign, runSign } from './example-sign';
import { saveScreen, test } from './fixtures';

test.describe.configure({ timeout: 180_000 });

test(
  'reads the text of a photo under a budget and shows what every layer did',
  { tag: '@both' },
  async ({ console: { page, ui } }) => {
    await readSign(ui);
    await expectSignWasRead(ui);
    await expect(ui.run.latency).toContainText(/\d\s*m?s/);
    await expect(ui.run.curve).toBeVisible();
    await expect(page.getByText('Where the layers live')).toBeVisible();
    await saveScreen(page, 'run-answer');

    await ui.open('Timeline');
    await expect(ui.timeline.canvas).toBeVisible();
    await expect.poll(() => ui.timeline.spans()).toBeGreaterThan(10);
    await saveScreen(page, 'timeline-run');
    await ui.timeline.canvas.hover();
    await page.mouse.wheel(0, -400);
    await saveScreen(page, 'timeline-zoomed');

    await ui.open('Device');
    await expect(ui.device.figure('cpuPct')).toContainText(/\d/);
    await saveScreen(page, 'device-live');

    await ui.open('Run');
    // The second run is a warm one: its latency is a point on the curve.
    await ui.run.answer();
    await expect(ui.run.root).toContainText(/measured [\d.]+\s*m?s \(1 run\)/);
  },
);

// Of the engine and the panel, which are the same in both shells.
test.describe('with the example there', () => {
  test.use({ library: 'example' });

  test('gives the same answer at the least budget, set by keyboard', async ({
    electronConsole: { page, ui },
  }) => {
    await runSign(ui);
    const before = await ui.run.budget.inputValue();
    await ui.run.budget.press('Home');
    expect(Number(await ui.run.budget.inputValue())).toBeLessThanOrEqual(Number(before));
    await ui.run.answer();
    await expectSignWasRead(ui);
    await saveScreen(page, 'run-least-budget');
  });

  test('runs continuously until it is stopped', async ({ electronConsole: { ui } }) => {
    await runSign(ui);
    await ui.run.runContinuously.click();
    await expect(ui.run.state).toHaveAttribute('data-state', 'running');
    await ui.run.stop.click();
    await expect(ui.run.state).toHaveAttribute('data-state', /^(done|cancelled)$/);
  });

  // Of the window, which starts another one; the end of a host ends the session too.
  test('an engine killed in the middle of a run comes back, and the run is marked failed', async ({
    electronConsole: { app, page, ui },
  }) => {
    await runSign(ui);
    await ui.run.runContinuously.click();
    await expect(ui.run.state).toHaveAttribute('data-state', 'running');
    const pid = await app.evaluate(({ app: electron }) => {
      return electron.getAppMetrics().find(({ name }) => name === 'Sluice engine')?.pid;
    });
    process.kill(pid!, 'SIGKILL');
    await expect(ui.engineStatus).toHaveAttribute('data-state', /restarting|starting/);
    await saveScreen(page, 'engine-killed');
    await expect(ui.run.state).toHaveAttribute('data-state', 'failed');
    await ui.ready();
    await ui.run.answer();
    await expectSignWasRead(ui);
  });
});
