import type * as Playwright from '@playwright/test';
import type { Browser, BrowserType } from '@playwright/test';

import { quantile } from '../../base';
import { SluiceError } from '../../contract';
import { findChrome } from '../find-chrome';

/** Screen refreshes, 60 a second. */
const REFRESH_MS = 1000 / 60;

/** Frames of a page, in milliseconds. */
export interface FrameFigures {
  readonly frames: number;
  readonly medianFrameMs: number;
  readonly p99FrameMs: number;
  /** Screen refreshes that passed without a new picture. */
  readonly droppedFramePct: number;
}

/**
 * Headless Chromium to measure in.
 * @param chosen Chromium or Chrome. Default: `CHROME_PATH`, the system's, Playwright's.
 * @throws SluiceError `not-found` without a browser, `unsupported` without Playwright.
 */
export async function openBrowser(chosen?: string): Promise<Browser & { readonly executablePath: string }> {
  const chromium = await loadPlaywright();
  const executablePath = findChrome({
    purpose: 'measure in',
    ...(chosen !== undefined && { chosen }),
    more: [chromium.executablePath()],
  });
  // Only root needs it: Chromium's sandbox refuses to run as root.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return Object.assign(await chromium.launch({ executablePath, args }), { executablePath });
}

async function loadPlaywright(): Promise<BrowserType> {
  // A development dependency: named in a variable so that the bundler leaves it outside.
  const name = '@playwright/test';
  try {
    const module = (await import(name)) as typeof Playwright;
    return module.chromium;
  } catch (error) {
    const message = `${name} can't be loaded, and the benchmark drives a browser with it. Run "npm install" in a source checkout.`;
    throw new SluiceError('unsupported', message, {}, { cause: error });
  }
}

/** @param frameMs from each frame to the next. */
export function frameFigures(frameMs: readonly number[]): FrameFigures {
  const missed = frameMs.reduce((sum, ms) => sum + Math.max(0, Math.round(ms / REFRESH_MS) - 1), 0);
  return {
    frames: frameMs.length,
    medianFrameMs: rounded(quantile(frameMs, 0.5)),
    p99FrameMs: rounded(quantile(frameMs, 0.99)),
    droppedFramePct: rounded((100 * missed) / (frameMs.length + missed)),
  };
}

export function rounded(value: number): number {
  return Number(value.toFixed(3));
}
