import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { z } from 'zod';

import { SluiceError } from '../../contract';

/** What starts load: counts, which are the same on every machine. */
export interface LoadCounts {
  /** Scripts and styles that the page names: before the frame is drawn. */
  readonly rendererStartBytes: number;
  /** What the Run panel brings beyond those. */
  readonly firstPanelBytes: number;
  readonly rendererFiles: number;
  /** The main process's scripts. */
  readonly mainBytes: number;
  /** Scripts and native libraries of the engine's main thread until it has told what the frame and the Run panel show. */
  readonly engineFiles: number;
  readonly engineScriptBytes: number;
  /** Files that `sluice --version` loads. */
  readonly cliModules: number;
}

/**
 * @param outDir the folder with the built `main` and `renderer`. @param dataDir an empty one for an engine of its own.
 * @throws SluiceError `not-found` when it was not built, `runtime` when the engine does not answer.
 */
export async function countLoads(outDir: string, dataDir: string): Promise<LoadCounts> {
  const page = join(outDir, 'renderer', 'index.html');
  if (!existsSync(page)) {
    const message = `${page}: the console was not built. Run "npm run build" first.`;
    throw new SluiceError('not-found', message, { outDir });
  }
  const assets = join(outDir, 'renderer', 'assets');
  const start = reached(assets, namesIn(readFileSync(page, 'utf8'), /\.\/assets\/([\w.-]+\.(?:js|css))/g));
  const panel = reached(
    assets,
    readdirSync(assets).filter((name) => /^run-view-.*\.(js|css)$/.test(name)),
  );
  const more = [...panel].filter((name) => !start.has(name));
  const main = reached(join(outDir, 'main'), ['index.js']);
  const engine = await filesOf(join(outDir, 'main', 'engine.js'), ENGINE, dataDir);
  const scripts = engine.filter((file) => !file.endsWith('.node'));
  return {
    rendererStartBytes: bytesIn(assets, start),
    firstPanelBytes: bytesIn(assets, more),
    rendererFiles: start.size + more.length,
    mainBytes: bytesIn(join(outDir, 'main'), main),
    engineFiles: engine.length,
    engineScriptBytes: scripts.reduce((sum, file) => sum + statSync(file).size, 0),
    cliModules: (await filesOf(join(outDir, 'main', 'cli.js'), VERSION, dataDir)).length,
  };
}

/** A script's static imports, as the bundler writes them. */
const IMPORT = /(?:from|import|require\()\s*["'`]\.\/((?:chunks\/)?[\w.-]+\.js)["'`]/g;

/** These files and all that they import without being asked to. */
function reached(folder: string, names: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>();
  const waiting = [...names];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    if (!name.endsWith('.js')) continue;
    const beside = name.slice(0, name.lastIndexOf('/') + 1);
    const text = readFileSync(join(folder, name), 'utf8').replaceAll(DYNAMIC, '');
    waiting.push(...namesIn(text, IMPORT).map((each) => beside + each));
  }
  return found;
}

/** What is loaded when it is asked for: `import("./x.js")`, and as it is written for Node. */
const DYNAMIC = /import\(\s*["'`][^"'`]*["'`]\s*\)|Promise\.resolve\(\)\.then\([^\n]*?require\([^)]*\)/g;

function namesIn(text: string, pattern: RegExp): readonly string[] {
  return [...text.matchAll(pattern)].map(([, name = '']) => name);
}

function bytesIn(folder: string, names: Iterable<string>): number {
  return [...names].reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

const TELL = `process.stdout.write('\\n' + JSON.stringify(Object.keys(require.cache)) + '\\n')`;
const VERSION = `process.on('exit', () => ${TELL}); process.argv.splice(2, Infinity, '--version'); require(process.argv[1]);`;
/** Stands in for Electron's main process and for a window that asks what the frame and the Run panel show. */
const ENGINE = `
const asks = ['engine.info', 'models.list', 'models.removed', 'jobs.list', 'runs.list', 'budget.get', 'device.info'];
let answered = 0;
let ask;
const port = {
  on: (event, listener) => { if (event === 'message') ask = listener; },
  start: () => asks.forEach((request, id) => ask({ data: { id, request, input: {} } })),
  postMessage: ({ reply }) => {
    if (reply === undefined) return;
    if (!reply.ok) throw new Error(reply.error.message);
    answered += 1;
    if (answered === asks.length) { ${TELL}; process.kill(process.pid, 'SIGTERM'); }
  },
};
process.parentPort = { on: (event, listener) => setImmediate(() => listener({ data: { kind: 'connect' }, ports: [port] })) };
require(process.argv[1]);
`;

/** @returns the files a program has loaded when it says so. */
async function filesOf(file: string, script: string, dataDir: string): Promise<readonly string[]> {
  const env = { ...process.env, SLUICE_DATA_DIR: dataDir };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['-e', script, file], { env });
  const told = stdout.split('\n').findLast((line) => line.startsWith('['));
  if (told === undefined) throw new SluiceError('runtime', `${file} said nothing of its files: ${stderr}`);
  return z.array(z.string()).parse(JSON.parse(told));
}
