import type { DeviceInfo, TelemetrySeries } from '../../../core/contract';
import {
  formatBytes,
  formatBytesOf,
  formatFixed,
  formatPct,
  formatRate,
  formatTicks,
  NO_FIGURE,
} from '../../format';
import { strings } from '../../strings';
import type { HelpId } from '../../ui';

const STRINGS = strings.device;

const WORDS = STRINGS.charts;

/** One line of a chart. */
export interface Line {
  readonly series: TelemetrySeries;
  readonly label: string;
  /** Design token of its colour, e.g. `--read`. */
  readonly token: string;
  /** The whole machine is an area in grey; the engine's share a line in its meaning's colour. */
  readonly filled: boolean;
  /** Figure in text. `value` is in the series' own unit. */
  readonly text: (value: number) => string;
  /** Drawn against the chart's axis after this factor. */
  readonly factor: number;
}

export interface ChartSpec {
  readonly id: string;
  readonly help: HelpId;
  readonly title: string;
  /** The first line's figure is the large one. */
  readonly lines: readonly Line[];
  /** Top of the axis where the machine fixes it; else the axis follows the data. */
  readonly max?: number;
  /** The axis never shows less, so that noise at rest stays small. */
  readonly minTop: number;
  /** The axis is round in powers of two. */
  readonly binary: boolean;
  /** Labels of the axis' ticks. */
  readonly axis: (values: readonly number[]) => string[];
}

/** Ticks with their unit; round ones need no decimals, and nothing is nothing in any unit. */
function unitTicks(text: (value: number) => string): ChartSpec['axis'] {
  return (values) => {
    const labels = values.map((value) => (value === 0 ? '0' : text(value)));
    const areRound = labels.every((label) => !/\D\d*[1-9]/.test(label));
    return areRound ? labels.map((label) => label.replace(/\D0+(?=\D)/, '')) : labels;
  };
}

const GREY = '--border-strong';
const pct = (value: number): string => formatPct(value);
const pctTicks: ChartSpec['axis'] = (values) => values.map(pct);
const countText = (value: number): string => (Number.isFinite(value) ? formatFixed(value, 1) : NO_FIGURE);

/** The charts of a machine; its cores and memory scale the axes. */
export function chartsOf(device: DeviceInfo | undefined): readonly ChartSpec[] {
  const cores = device?.cores ?? 1;
  const machine = { factor: 1, filled: true, token: GREY } as const;
  const engine = { factor: 1, filled: false } as const;
  const share = (value: number): string => formatPct(value / cores);
  const ofTotal = (bytes: number): string =>
    device ? formatBytesOf(bytes, device.memTotalBytes) : formatBytes(bytes);
  return [
    {
      id: 'cpu',
      help: 'device.cpu',
      binary: false,
      title: WORDS.cpu.title,
      max: 100,
      minTop: 100,
      axis: pctTicks,
      lines: [
        { ...machine, series: 'cpuPct', label: WORDS.cpu.machine, text: pct },
        {
          ...engine,
          series: 'engineCpuPct',
          label: WORDS.cpu.engine,
          token: '--compute',
          text: share,
          factor: 1 / cores,
        },
      ],
    },
    {
      id: 'memory',
      help: 'device.memory',
      title: WORDS.memory.title,
      binary: true,
      minTop: 2 ** 28,
      axis: unitTicks(formatBytes),
      lines: [
        { ...machine, series: 'memUsedBytes', label: WORDS.memory.used, text: ofTotal },
        { ...engine, series: 'engineRssBytes', label: WORDS.memory.rss, token: '--text', text: formatBytes },
        {
          ...engine,
          series: 'engineAnonBytes',
          label: WORDS.memory.anon,
          token: '--verify',
          text: formatBytes,
        },
      ],
    },
    {
      id: 'disk',
      help: 'device.disk',
      binary: false,
      title: WORDS.disk.title,
      minTop: 10e6,
      axis: unitTicks(formatRate),
      lines: [
        { ...machine, series: 'diskReadBytesPerSec', label: WORDS.disk.read, text: formatRate },
        {
          ...engine,
          series: 'engineReadBytesPerSec',
          label: WORDS.disk.engine,
          token: '--read',
          text: formatRate,
        },
        {
          ...engine,
          series: 'diskWriteBytesPerSec',
          label: WORDS.disk.write,
          token: '--send',
          text: formatRate,
        },
      ],
    },
    {
      id: 'queue',
      help: 'device.queue',
      binary: false,
      title: WORDS.queue.title,
      minTop: 4,
      axis: formatTicks,
      lines: [{ ...machine, series: 'diskQueue', label: WORDS.queue.queue, token: '--ssd', text: countText }],
    },
    {
      id: 'gpu',
      help: 'device.gpu',
      binary: false,
      title: WORDS.gpu.title,
      max: 100,
      minTop: 100,
      axis: pctTicks,
      lines: [{ ...machine, series: 'gpuPct', label: WORDS.gpu.use, token: '--gpu', text: pct }],
    },
  ];
}

/** Figures in words only: drawn with the chart they belong to. */
export const EXTRA_FIGURES: Readonly<Record<string, readonly Pick<Line, 'series' | 'label' | 'text'>[]>> = {
  queue: [{ series: 'diskBusyPct', label: WORDS.queue.busy, text: pct }],
  gpu: [{ series: 'gpuMemUsedBytes', label: WORDS.gpu.memory, text: formatBytes }],
};
