import { existsSync, realpathSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { dirname, join } from 'node:path';
import type { Browser } from '@playwright/test';
import { quantile } from '../../base';
import { SluiceError } from '../../contract';
import { frameFigures, openBrowser, rounded } from '../bench/browser';
import type { FrameFigures } from '../bench/browser';

export interface TimelineOptions {
  /** Spans of the made-up trace. */
  readonly spans?: number;
  /** Length of the scripted zoom and pan. */
  readonly seconds?: number;
  /** Folder with the built `bench-timeline.html`. Default: `renderer` beside the folder of the running script. */
  readonly pageDir?: string;
  /** Chromium or Chrome to start. Default: `CHROME_PATH`, the system's, Playwright's. */
  readonly chromePath?: string;
  readonly log?: (message: string) => void;
}

/** Times in milliseconds. */
export interface TimelineReport extends FrameFigures {
  readonly spans: number;
  readonly seconds: number;
  readonly fps: number;
  /** Main-thread time to draw one frame, both canvases. Without a GPU, rasterising comes on top, on other threads. */
  readonly drawMsMedian: number;
  readonly drawMsP99: number;
  readonly drawMsMax: number;
  /** Preparing the levels of detail, once a trace. */
  readonly buildMs: number;
  readonly viewport: string;
  readonly devicePixelRatio: number;
  readonly userAgent: string;
  readonly browser: string;
  readonly cpu: string;
  readonly cores: number;
  /** Load average over one minute when it ended: other work on the machine lengthens frames. */
  readonly loadAverage: number;
  readonly gpu: string;
}

/** Mirrors `TimelineTour` of renderer/timeline-engine/bench/bench-page.ts, which answers in the page. */
interface TimelineTour {
  readonly spans: number;
  readonly buildMs: number;
  readonly frameMs: readonly number[];
  readonly drawMs: readonly number[];
  readonly widthPx: number;
  readonly heightPx: number;
  readonly devicePixelRatio: number;
  readonly webglRenderer: string;
}

const PAGE = 'bench-timeline.html';
/** Never resolved: every request to it is answered from the page's folder. */
const ORIGIN = 'http://sluice.invalid';
const VIEWPORT = { width: 1600, height: 900 };

/**
 * Measures the console's timeline in headless Chromium: a made-up trace, a scripted zoom and pan over it.
 * @throws SluiceError `not-found` without a browser or a built page, `unsupported` without Playwright.
 */
export async function benchTimeline(options: TimelineOptions = {}): Promise<TimelineReport> {
  const { spans = 100_000, seconds = 8, log = () => undefined } = options;
  const pageDir = options.pageDir ?? join(dirname(realpathSync(process.argv[1] ?? '.')), '..', 'renderer');
  if (!existsSync(join(pageDir, PAGE))) {
    const message = `${join(pageDir, PAGE)}: the timeline's benchmark page is not there. Run "npm run build" first.`;
    throw new SluiceError('not-found', message, { pageDir });
  }
  const browser = await openBrowser(options.chromePath);
  log(`${browser.executablePath}: ${spans} spans, ${seconds} s`);
  try {
    const { tour, userAgent } = await takeTour(browser, pageDir, spans, seconds);
    return report(tour, userAgent, `${browser.browserType().name()} ${browser.version()}`);
  } finally {
    await browser.close();
  }
}

async function takeTour(
  browser: Browser,
  pageDir: string,
  spans: number,
  seconds: number,
): Promise<{ tour: TimelineTour; userAgent: string }> {
  const page = await browser.newPage({ viewport: VIEWPORT });
  await page.route(`${ORIGIN}/**`, async (route) => {
    const path = new URL(route.request().url()).pathname.slice(1);
    await route.fulfill({ path: join(pageDir, path) });
  });
  const failures: string[] = [];
  page.on('pageerror', (error) => failures.push(error.message));
  await page.goto(`${ORIGIN}/${PAGE}`);
  // Evaluated as text: this module knows no DOM types.
  const ask = `window.sluiceTimelineTour(${spans}, ${seconds})`;
  const tour = await page.evaluate<TimelineTour>(ask);
  if (failures.length > 0) {
    throw new SluiceError('internal', `The benchmark page failed: ${failures.join('; ')}`, { failures });
  }
  return { tour, userAgent: await page.evaluate<string>('navigator.userAgent') };
}

function report(tour: TimelineTour, userAgent: string, browser: string): TimelineReport {
  const { frameMs, drawMs } = tour;
  const elapsedMs = frameMs.reduce((sum, ms) => sum + ms, 0);
  const processors = cpus();
  return {
    spans: tour.spans,
    seconds: rounded(elapsedMs / 1000),
    fps: rounded((1000 * frameMs.length) / elapsedMs),
    ...frameFigures(frameMs),
    drawMsMedian: rounded(quantile(drawMs, 0.5)),
    drawMsP99: rounded(quantile(drawMs, 0.99)),
    drawMsMax: rounded(Math.max(...drawMs)),
    buildMs: rounded(tour.buildMs),
    viewport: `${tour.widthPx}x${tour.heightPx}`,
    devicePixelRatio: tour.devicePixelRatio,
    userAgent,
    browser,
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    loadAverage: rounded(loadavg()[0] ?? NaN),
    gpu: /swiftshader|llvmpipe|^none$/i.test(tour.webglRenderer) ? 'software' : tour.webglRenderer,
  };
}
