import type { ElectronApplication } from '@playwright/test';
import { expect } from '@playwright/test';
import { SHELL_REQUESTS } from '../core/contract';
import { test } from './fixtures';
import { rubbishThroughBridge, rubbishThroughPort } from './rubbish';
import type { BridgeOutcome, PortOutcome } from './rubbish';

/** Of main and engine together, beyond what they had: rubbish is copied, and dropped. */
const GROWTH_BYTES = 400 * 2 ** 20;
const SEED = Number(process.env['SLUICE_FUZZ_SEED'] ?? 1);

/** None that starts a program or asks another machine, should rubbish once be sound. */
const REQUESTS: readonly string[] = [
  'engine.info',
  'models.inspect',
  'models.verify',
  'models.remove',
  'models.restore',
  'plan.curve',
  'runs.start',
  'runs.trace',
  'budget.set',
  'offload.trace',
  'endpoints.remove',
  'language.remove',
  'lab.remove',
  'jobs.cancel',
  'no.such',
  '__proto__',
];

interface Processes {
  readonly enginePid: number;
  readonly bytes: number;
}

function processes(app: ElectronApplication): Promise<Processes> {
  return app.evaluate(({ app: electron }) => {
    const metrics = electron.getAppMetrics();
    const engine = metrics.find(({ name }) => name === 'Sluice engine');
    const main = metrics.find(({ type }) => type === 'Browser');
    const kib = (engine?.memory.workingSetSize ?? 0) + (main?.memory.workingSetSize ?? 0);
    return { enginePid: engine?.pid ?? 0, bytes: kib * 1024 };
  });
}

// Of Electron alone: a browser has neither preload nor main. What a page may send a host is in headless.spec.ts.
test.describe('a renderer that was taken over', () => {
  test.beforeEach(async ({ electronConsole: { app } }) => {
    // What can't be copied becomes an empty object on the way, which is a sound question for a file: nobody answers it.
    await app.evaluate(({ dialog }) => {
      dialog.showOpenDialog = () => Promise.resolve({ canceled: true, filePaths: [] });
      dialog.showSaveDialog = () => Promise.resolve({ canceled: true, filePath: '' });
    });
  });

  test('breaks neither main nor engine by what it sends through preload', async ({
    electronConsole: { app, page, ui },
  }) => {
    await ui.ready();
    const before = await processes(app);
    const { outcomes, wrong } = await page.evaluate<BridgeOutcome>(rubbishThroughBridge(SEED, 400));
    expect(wrong, JSON.stringify(outcomes)).toEqual([]);
    expect(outcomes['bad-input'], JSON.stringify(outcomes)).toBeGreaterThan(100);
    const after = await processes(app);
    expect(after.enginePid).toBe(before.enginePid);
    expect(after.bytes - before.bytes).toBeLessThan(GROWTH_BYTES);
    await page.reload();
    await ui.ready();
  });

  test('breaks no engine by what it posts to its port', async ({ electronConsole: { app, page, ui } }) => {
    await ui.ready();
    const before = await processes(app);
    const { last, wrong, replies } = await page.evaluate<PortOutcome>(
      rubbishThroughPort(SEED, 600, REQUESTS),
    );
    expect(last).toMatchObject({ ok: true, value: { pid: before.enginePid } });
    expect(wrong).toEqual([]);
    expect(replies['internal'], JSON.stringify(replies)).toBeUndefined();
    expect(replies['bad-input'], JSON.stringify(replies)).toBeGreaterThan(100);
    const after = await processes(app);
    expect(after.enginePid).toBe(before.enginePid);
    expect(after.bytes - before.bytes).toBeLessThan(GROWTH_BYTES);
    await page.reload();
    await ui.ready();
  });

  test("gets nothing in a window that is not the console's, though it has all of ipcRenderer", async ({
    electronConsole: { app, ui },
  }) => {
    await ui.ready();
    const refusals = await app.evaluate(async ({ BrowserWindow }, names) => {
      const window = new BrowserWindow({
        show: false,
        webPreferences: { nodeIntegration: true, contextIsolation: false, sandbox: false },
      });
      try {
        await window.loadURL('about:blank');
        return (await window.webContents.executeJavaScript(`(async () => {
          const { ipcRenderer } = require('electron');
          for (const channel of ['engine-port', 'engine-status', 'update-state', '', '__proto__', 'x'.repeat(100000)])
            ipcRenderer.send(channel, { circle: [1, 2, 3] });
                const names = [...${JSON.stringify(names)}, 'no.such', '__proto__', 'engine-port'];
          return Promise.all(names.map((name) => ipcRenderer.invoke(name, {}).then(JSON.stringify, String)));
        })()`)) as readonly string[];
      } finally {
        window.destroy();
      }
    }, SHELL_REQUESTS);
    for (const refusal of refusals)
      expect(refusal).toMatch(
        /refused: expected a request of the console's own window|No handler registered/,
      );
    await ui.ready();
  });
});
