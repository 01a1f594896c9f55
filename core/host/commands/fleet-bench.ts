import { tmpdir } from 'node:os';
import { resolve } from 'node:path';

import type { Command } from 'commander';

import { formatBytes } from '../../base';
import { appVersion } from '../app-root';
import type { FleetBenchReport, PanelStretch } from '../bench-fleet';
import { execute } from './context';
import type { CommandContext, Outcome } from './context';
import { countOf } from './option-values';
import { formatMs, table } from './table';

interface FleetBenchCommand {
  readonly boxes: number;
  readonly seconds: number;
  readonly workDir?: string;
  readonly panel: boolean;
  readonly chrome?: string;
}

/** `sluice bench fleet`: what it costs to be attached to many boxes. */
export function addFleetBench(bench: Command): void {
  bench
    .command('fleet')
    .description(
      'an engine attached to many simulated boxes: processor, memory, how fast it still answers, and the frames of the Fleet panel',
    )
    .option('--boxes <n>', 'simulated boxes, real servers in one other process', countOf, 200)
    .option('--seconds <n>', 'of each stretch', countOf, 20)
    .option('--no-panel', 'leave the Fleet panel out, which needs a Chromium')
    .option('--chrome <path>', "Chromium or Chrome for the panel (default: CHROME_PATH, or the system's)")
    .option('--work-dir <dir>', 'where the engine keeps its state; deleted afterwards')
    .action((options: FleetBenchCommand, command: Command) =>
      execute(command, (context) => fleet(context, options)),
    );
}

async function fleet(
  { log, signal, appRoot }: CommandContext,
  { boxes, seconds, workDir = tmpdir(), panel, chrome }: FleetBenchCommand,
): Promise<Outcome> {
  const { benchFleet } = await import('../bench-fleet');
  const version = appVersion(appRoot);
  const report = await benchFleet({
    boxes,
    seconds,
    workDir: resolve(workDir),
    version,
    panel,
    ...(chrome !== undefined && { chromePath: chrome }),
    log,
    signal,
  });
  return { json: report, text: fleetText(report) };
}

function fleetText({ boxes, unwatched, watched, allBackMs, panel }: FleetBenchReport): string {
  const rows: readonly (readonly [string, string])[] = [
    ['boxes', String(boxes)],
    ['engine without a console', `${unwatched.cpuPct.toFixed(1)} % of a core`],
    ['engine with a console', `${watched.cpuPct.toFixed(1)} % of a core`],
    ['its memory', formatBytes(watched.rssBytes)],
    ['fleet events', `${watched.eventsPerSec.toFixed(1)} a second`],
    ['to the console', `${formatBytes(watched.bytesPerSec)} a second`],
    ['boxes with new figures', String(watched.toldBoxes)],
    ['other requests, median', formatMs(watched.requestMs.p50)],
    ['other requests, 99%', formatMs(watched.requestMs.p99)],
    ['all back after all were lost', formatMs(allBackMs)],
    ...(panel ? [['lines of the panel in the document', String(panel.rowsInDocument)] as const] : []),
    ...(panel ? PANEL_STRETCHES.flatMap(([key, title]) => stretchRows(title, panel[key])) : []),
  ];
  return table<(typeof rows)[number]>(
    [
      { title: 'figure', text: ([title]) => title },
      { title: 'value', text: ([, value]) => value, align: 'right' },
    ],
    rows,
  );
}

const PANEL_STRETCHES = [
  ['still', 'panel'],
  ['scrolled', 'panel scrolled'],
  ['searched', 'panel searched'],
] as const;

function stretchRows(title: string, stretch: PanelStretch): readonly (readonly [string, string])[] {
  const { medianFrameMs, p99FrameMs, longTasks, longestTaskMs, mainThreadPct } = stretch;
  return [
    [`${title}: frame, median and 99%`, `${formatMs(medianFrameMs)}, ${formatMs(p99FrameMs)}`],
    [`${title}: tasks over 50 ms, the longest`, `${longTasks}, ${formatMs(longestTaskMs)}`],
    [`${title}: main thread`, `${mainThreadPct.toFixed(0)} % of a core`],
  ];
}
