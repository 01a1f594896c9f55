import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { BrowserWindow, session } from 'electron';

import { SluiceError } from '../core/contract';

/** Of a session in memory that is used for printing alone. */
const PARTITION = 'report-pdf';

/**
 * A report's page as PDF: in a hidden window where no script runs and nothing but the page itself is loaded.
 * @throws SluiceError `io` when it can't be printed.
 */
export async function printReport(html: string): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-report-'));
  const path = join(folder, 'report.html');
  const target = session.fromPartition(PARTITION);
  const url = pathToFileURL(path).href;
  target.webRequest.onBeforeRequest((details, answer) => answer({ cancel: details.url !== url }));
  const window = new BrowserWindow({
    show: false,
    webPreferences: {
      partition: PARTITION,
      javascript: false,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      webSecurity: true,
      webviewTag: false,
    },
  });
  try {
    await writeFile(path, html, { mode: 0o600 });
    await window.loadURL(url);
    return await window.webContents.printToPDF({ printBackground: true, preferCSSPageSize: true });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SluiceError(
      'io',
      `The report can't be printed: ${reason}. Save it as HTML instead.`,
      {},
      { cause },
    );
  } finally {
    window.destroy();
    await rm(folder, { recursive: true, force: true });
  }
}
