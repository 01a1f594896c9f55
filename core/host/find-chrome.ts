import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

import { SluiceError } from '../contract';

const NAMES = [
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
  'chrome',
  'microsoft-edge',
];
const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/snap/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe',
];

export interface ChromeWanted {
  /** What it is needed for, as in `No Chromium to measure in`. */
  readonly purpose: string;
  /** Used or refused, nothing else is looked for. Default: `CHROME_PATH`. */
  readonly chosen?: string;
  /** Looked at last. */
  readonly more?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** What else would do. */
  readonly otherwise?: string;
}

/** The path of a Chromium or Chrome. @throws SluiceError `not-found` that says what to install. */
export function findChrome({
  purpose,
  chosen,
  more = [],
  env = process.env,
  otherwise,
}: ChromeWanted): string {
  const wanted = chosen ?? env['CHROME_PATH'];
  const onPath = (env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .flatMap((folder) => NAMES.map((name) => join(folder, name)));
  const candidates = wanted ? [wanted] : [...PLACES, ...onPath, ...more];
  const found = candidates.find(isProgram);
  if (found !== undefined) return found;
  const looked = wanted ? `${wanted} is not a program` : 'looked on PATH and in the usual places';
  const hint = otherwise === undefined ? '' : ` ${otherwise}`;
  throw new SluiceError(
    'not-found',
    `No Chromium to ${purpose}; ${looked}. Install one (on Debian "apt-get install chromium") or name it in CHROME_PATH.${hint}`,
    { candidates },
  );
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
