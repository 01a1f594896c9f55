// Takes the pictures of docs/images anew: drives the console in Chromium as a person would, on a data folder of its own.
// Usage: node scripts/docs-screens.mjs [NAME...]   (after npm run build; default: all of them)
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from '@playwright/test';
import sharp from 'sharp';
import { ROOT } from './lib/paths.mjs';
import { ensureSmolLm2 } from './lib/smollm2.mjs';

const CLI = join(ROOT, 'out/main/cli.js');
const IMAGES = join(ROOT, 'docs/images');
const VIEWPORT = { width: 1280, height: 800 };
/** Two cores, and a language model that has to load. */
const PATIENCE_MS = 180_000;

const folder = mkdtempSync(join(tmpdir(), 'sluice-screens-'));
const env = { ...process.env, SLUICE_DATA_DIR: join(folder, 'data') };

async function sluice(...args) {
  const child = spawn(process.execPath, [CLI, ...args, '--json'], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout.on('data', (text) => (printed += text));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`sluice ${args.join(' ')} ended with ${code}: ${printed}`);
  return JSON.parse(printed);
}

const servers = [];

/** `sluice host`, or `sluice serve` as an endpoint. */
async function startServer(...args) {
  const child = spawn(process.execPath, [CLI, ...args, '--port', '0', '--json'], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  let printed = '';
  for await (const text of child.stdout) {
    printed += text;
    const found = /"url": "([^"]+)"/.exec(printed);
    if (found === null) continue;
    servers.push({ stop: () => (child.kill('SIGTERM'), ended) });
    return found[1];
  }
  throw new Error(`sluice ${args.join(' ')} printed no address: ${printed}`);
}

/** A few colours are enough for flat surfaces and text: a tenth of the bytes. */
async function save(name, page) {
  const png = await page.screenshot();
  await sharp(png)
    .png({ palette: true, colours: 128, effort: 10, dither: 0 })
    .toFile(join(IMAGES, `${name}.png`));
  console.log(`docs/images/${name}.png`);
}

const panel = (page, name) => page.getByTestId(`panel-${name}`);
const open = (page, name) =>
  page
    .getByRole('tab', { name, exact: true })
    .or(page.getByRole('button', { name, exact: true }))
    .first()
    .click();

const SCREENS = {
  run: async (page) => {
    await open(page, 'Run');
    const run = panel(page, 'run');
    await run.getByTestId('run-curve').waitFor({ timeout: PATIENCE_MS });
    // A run of before is done already.
    const before = await run.getByTestId('run-state').getAttribute('data-run');
    await run.getByRole('button', { name: /run once/i }).click();
    await run
      .locator(`[data-testid=run-state][data-state=done]:not([data-run="${before}"])`)
      .waitFor({ timeout: PATIENCE_MS });
    await run.getByTestId('run-result-line').first().waitFor();
    // The picture behind the result is fetched for itself.
    await page.waitForTimeout(1500);
    await save('run', page);
  },
  timeline: async (page) => {
    await open(page, 'Timeline');
    await page.getByTestId('timeline-canvas').waitFor();
    await page.waitForTimeout(1000);
    await save('timeline', page);
  },
  models: async (page) => {
    await open(page, 'Models');
    await page.locator('[data-testid=model-row]').first().click();
    await page.getByTestId('model-inspector').getByRole('table').first().waitFor();
    await save('models', page);
  },
  device: async (page) => {
    await open(page, 'Device');
    await page.getByTestId('device-figure').first().waitFor();
    // Live figures: a stretch of them is what the panel is about.
    await page.waitForTimeout(25_000);
    await save('device', page);
  },
  language: async (page) => {
    const found = await ensureSmolLm2();
    if ('problem' in found) throw new Error(found.problem);
    await open(page, 'Language');
    const language = panel(page, 'language');
    await language.getByRole('textbox', { name: /engine’s machine/ }).fill(found.model);
    await language.getByRole('button', { name: 'Import it' }).click();
    const begin = language
      .getByRole('button', { name: /^(new conversation|begin a conversation)$/i })
      .first();
    await page
      .waitForFunction((button) => button?.isConnected && !button.disabled, await begin.elementHandle(), {
        timeout: PATIENCE_MS,
      })
      .catch(() => undefined);
    await begin.click({ timeout: PATIENCE_MS });
    await language.getByRole('radiogroup', { name: 'Mode' }).getByText('VeriCache', { exact: true }).click();
    await language
      .getByRole('textbox', { name: 'Message' })
      .fill('Explain in a short paragraph why rivers meander.');
    await language.getByRole('textbox', { name: 'Message' }).press('Enter');
    await language
      .locator('[data-testid=message][data-role=assistant][data-state=done]')
      .waitFor({ timeout: PATIENCE_MS });
    await save('language', page);
  },
  lab: async (page) => {
    await open(page, 'Lab');
    const lab = panel(page, 'lab');
    await lab.getByRole('button', { name: 'Run the example' }).click({ timeout: PATIENCE_MS });
    await lab.getByTestId('run-page').waitFor({ timeout: PATIENCE_MS });
    await lab
      .locator('[data-testid=run-page] [data-testid=run-state][data-state=succeeded]')
      .waitFor({ timeout: PATIENCE_MS });
    await save('lab', page);
  },
  decisions: async (page) => {
    await open(page, 'Decisions');
    const decisions = panel(page, 'decisions');
    await decisions
      .getByRole('button', { name: /install/i })
      .first()
      .click();
    await decisions.getByTestId('variant-row').nth(7).waitFor({ timeout: PATIENCE_MS });
    await open(page, 'Endpoints');
    const endpoints = panel(page, 'endpoints');
    for (const tier of ['edge', 'cloud']) {
      const address = await startServer('serve', '--tier', tier);
      await endpoints.getByLabel('Name', { exact: true }).fill(`${tier}-1`);
      await endpoints.getByLabel('Tier', { exact: true }).selectOption(tier);
      await endpoints.getByLabel('URL', { exact: true }).fill(address);
      await endpoints.getByRole('button', { name: 'Add', exact: true }).click();
      await endpoints.locator(`[data-testid=endpoint-row][data-name=${tier}-1][data-state=ready]`).waitFor();
    }
    await open(page, 'Decisions');
    await decisions.getByLabel('Users', { exact: true }).fill('3');
    await decisions.getByLabel('Users', { exact: true }).press('Enter');
    await decisions.getByRole('button', { name: /^start/i }).click();
    // Some rounds, so that there is a curve to see.
    await decisions
      .locator('[data-testid=decision-row][data-decision="60"]')
      .waitFor({ timeout: PATIENCE_MS });
    await save('decisions', page);
    await decisions.getByRole('button', { name: 'Stop', exact: true }).click();
  },
  report: async (page) => {
    const file = join(folder, 'report.html');
    await sluice('report', 'run', 'latest', '-o', file);
    await page.goto(pathToFileURL(file).href);
    await save('report', page);
  },
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in SCREENS));
if (unknown.length > 0)
  throw new Error(`no picture ${unknown.join(', ')}; there are ${Object.keys(SCREENS).join(', ')}`);

await sluice('models', 'import', '--example');
await sluice('run', 'ppocr', '--input', 'example:receipt', '--budget', '3MiB', '--repeat', '3');
const url = await startServer('host');
const executablePath = [process.env.CHROME_PATH, '/usr/bin/chromium', chromium.executablePath()].find(
  (path) => path && existsSync(path),
);
const browser = await chromium.launch({
  executablePath,
  args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
});
try {
  const page = await browser.newPage({ viewport: VIEWPORT, colorScheme: 'light', reducedMotion: 'reduce' });
  page.setDefaultTimeout(60_000);
  await page.goto(url);
  for (const [name, take] of Object.entries(SCREENS)) {
    if (wanted.length === 0 || wanted.includes(name)) await take(page);
  }
} finally {
  await browser.close();
  await Promise.all(servers.map((server) => server.stop()));
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
