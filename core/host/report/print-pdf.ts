import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { SluiceError } from '../../contract';
import { findChrome } from '../find-chrome';

/** A report has a few pages; a browser that takes longer hangs. */
const LONGEST_MS = 120_000;

export interface PrintOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
}

/**
 * A page as PDF, by a Chromium or Chrome that is there, in a profile of its own.
 * @throws SluiceError `not-found` without a browser, `unavailable` when it fails, `cancelled`.
 */
export async function printPdf(
  html: string,
  { env = process.env, signal }: PrintOptions = {},
): Promise<Uint8Array> {
  const chrome = findChrome({
    purpose: 'print the report with',
    env,
    otherwise: 'Or leave out --format pdf: any browser prints the HTML report to PDF.',
  });
  const folder = await mkdtemp(join(tmpdir(), 'sluice-report-'));
  try {
    const page = join(folder, 'report.html');
    const pdf = join(folder, 'report.pdf');
    await writeFile(page, html);
    await run(chrome, argumentsOf(folder, page, pdf), env, signal);
    return await readFile(pdf).catch((cause: unknown) => {
      throw new SluiceError(
        'unavailable',
        `${chrome} printed nothing. Name another browser in CHROME_PATH, or save HTML.`,
        {},
        { cause },
      );
    });
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

function argumentsOf(folder: string, page: string, pdf: string): readonly string[] {
  return [
    '--headless=new',
    '--disable-gpu',
    '--disable-extensions',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--no-first-run',
    '--no-default-browser-check',
    '--password-store=basic',
    `--user-data-dir=${join(folder, 'profile')}`,
    // Only root needs it: Chromium's sandbox refuses to run as root.
    ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
    '--no-pdf-header-footer',
    `--print-to-pdf=${pdf}`,
    pathToFileURL(page).href,
  ];
}

function run(
  chrome: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  signal?: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const options = { env, timeout: LONGEST_MS, killSignal: 'SIGKILL' as const, ...(signal && { signal }) };
    execFile(chrome, args, options, (error, _stdout, stderr) => {
      if (error === null) resolve();
      else if (signal?.aborted) reject(new SluiceError('cancelled', 'Printing the report was cancelled.'));
      else {
        const said = stderr.trim().split('\n').pop() ?? '';
        const message = `${chrome} could not print the report: ${said === '' ? error.message : said}. Name another browser in CHROME_PATH, or save HTML.`;
        reject(new SluiceError('unavailable', message, {}, { cause: error }));
      }
    });
  });
}
