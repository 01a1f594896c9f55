import { createServer } from 'node:net';
import { join } from 'node:path';
// Whole: a Node that has no parseArgs is to be told what is wrong with it.
import util from 'node:util';
import { ensureBuilt } from './lib/build.mjs';
import { electronForTests, pinnedElectron } from './lib/electron.mjs';
import { ensureInstalled } from './lib/install.mjs';
import { ROOT } from './lib/paths.mjs';
import { run, runForeground } from './lib/process.mjs';
import { main, note, SetupError, step, warn } from './lib/terminal.mjs';

const HELP = `Usage: npm start -- [options]

Sets Sluice up (packages, build) and opens the console: a window where there is a screen and Electron runs,
otherwise a page for your browser, whose address is printed. Ctrl-C ends it.

  --headless          serve the console to a browser, even where there is a screen
  --port N            port of that page (default: 8787, or a free one when 8787 is taken)
  --fallback-electron use the older Electron of the tests if the pinned one can't be downloaded (preview only)
  --help              this text

SLUICE_DATA_DIR chooses where models and runs are kept.
`;

/** An Electron that ends this soon with an error never showed a window. */
const NEVER_OPENED_MS = 10_000;
const WEB_PORT = 8787;
const CLI = join(ROOT, 'out', 'main', 'cli.js');

await main(async () => {
  const options = readOptions();
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  await ensureInstalled();
  await ensureBuilt();
  await ensureExample();
  if (options.headless) return serve(options.port);
  if (!hasDisplay()) {
    note(
      'There is no screen here (neither DISPLAY nor WAYLAND_DISPLAY is set): the console opens in a browser.',
    );
    return serve(options.port);
  }
  const electron = await findElectron(options['fallback-electron']);
  if (electron === undefined) return serve(options.port);
  return openWindow(electron, options.port);
});

function readOptions() {
  try {
    const { values } = util.parseArgs({
      options: {
        headless: { type: 'boolean', default: false },
        'fallback-electron': { type: 'boolean', default: false },
        port: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.port !== undefined && !(Number(values.port) >= 0 && Number(values.port) < 65536)) {
      throw new SetupError(`--port: expected a number from 0 to 65535, found "${values.port}".`);
    }
    return values;
  } catch (error) {
    throw new SetupError(`${error.message}\n\n${HELP}`);
  }
}

/** A library without models gets the example, so that the console opens on something that works. */
async function ensureExample() {
  const { code, output } = await run(process.execPath, [CLI, '--json', 'models', 'list']);
  if (code === 0 && !/^\s*\[\s*\]\s*$/.test(output)) return;
  step('Importing the example, which reads text from a photo (once, some seconds)');
  const imported = await runForeground(process.execPath, [CLI, 'models', 'import', '--example']);
  if (imported.code !== 0) warn('The example could not be imported; its own message stands above.');
}

function hasDisplay() {
  if (process.platform !== 'linux') return true;
  return Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);
}

/** `undefined`, after saying why, when only the browser is left. */
async function findElectron(allowFallback) {
  try {
    return allowFallback ? await electronForTests() : await pinnedElectron();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    warn(error.message);
    note('The console opens in a browser instead.');
    return undefined;
  }
}

async function openWindow(electron, port) {
  step(`Opening the console (Electron ${electron.version})`);
  const args = [...electron.appArgs];
  if (process.getuid?.() === 0) {
    warn("Running as root: Chromium's sandbox is off. Run Sluice as an ordinary user where you can.");
    args.unshift('--no-sandbox');
  }
  const { code, output, ms } = await runForeground(electron.executablePath, args, {
    // Electron's own may be too old for the lab's server.
    env: { SLUICE_NODE: process.env.SLUICE_NODE ?? process.execPath },
  });
  if (code === 0 || code === 130 || code === 143 || ms > NEVER_OPENED_MS) return code;
  warn(`Electron ended after ${(ms / 1000).toFixed(1)} s with exit code ${code}.`);
  if (/sandbox/i.test(output)) {
    note('It could not set up its sandbox. On Ubuntu 24.04 and newer, allow it user namespaces:');
    note('sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0');
  }
  note('The console opens in a browser instead.');
  return serve(port);
}

async function serve(port) {
  const chosen = port ?? String(await freePort());
  step('Starting the engine and the web console; Ctrl-C ends it');
  const { code, ms } = await runForeground(process.execPath, [CLI, 'host', '--port', chosen, '--open']);
  if (code === 0 || code === 130 || code === 143) return 0;
  throw new SetupError(
    `The engine's host ended after ${(ms / 1000).toFixed(1)} s with exit code ${code}; its own message stands above. ` +
      `If the port is taken, choose another: npm start -- --headless --port 0`,
  );
}

/** 8787, or 0 (any free port) when somebody listens there. */
function freePort() {
  return new Promise((done) => {
    const probe = createServer();
    probe.once('error', () => done(0));
    probe.listen(WEB_PORT, '127.0.0.1', () => probe.close(() => done(WEB_PORT)));
  });
}
