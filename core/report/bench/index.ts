import { formatBytes } from '../../base';
import { facts, section } from '../blocks';
import { formatNumber } from '../format';
import type { Markup } from '../markup';
import type { Report } from '../page';
import { barsSection } from './bars-section';
import { parseBenchFile } from './bench-file';
import type { BenchFile } from './bench-file';
import { figureOf } from '../format';
import { genericSections, written } from './generic';
import { labSections } from './lab';
import { layeringSections } from './layering';
import { offloadSections } from './offload';
import { vericacheSections } from './vericache';

interface Kind {
  readonly title: string;
  readonly lead: string;
  readonly isOne: (file: BenchFile) => boolean;
  readonly sections?: (file: BenchFile) => readonly Markup[];
  /** What its own sections show. */
  readonly shown: readonly string[];
}

const has = (file: BenchFile, ...keys: readonly string[]): boolean => keys.every((key) => key in file);

const KINDS: readonly Kind[] = [
  {
    title: 'Streamed networks',
    lead: 'Networks under parameter budgets, against whole-model and memory-mapped ONNX Runtime.',
    isOne: (file) => has(file, 'rows', 'networks'),
    sections: layeringSections,
    shown: ['rows'],
  },
  {
    title: 'VeriCache',
    lead: 'Exact replies from compressed caches, beside the full cache in memory and on SSD, lossy replies and a peer.',
    isOne: (file) => has(file, 'exactness') || (has(file, 'rows') && has(file, 'peers')),
    sections: vericacheSections,
    shown: ['rows', 'exactness', 'peers'],
  },
  {
    title: 'Offload agents',
    lead: 'Agents that decide where each inference runs, against an exact oracle and in a live run.',
    isOne: (file) => has(file, 'convergence') || has(file, 'live'),
    sections: offloadSections,
    shown: ['rows', 'convergence', 'live'],
  },
  {
    title: "The lab's server",
    lead: 'Logging, kill -9 in mid-write, searches and idle memory, beside mlflow server.',
    isOne: (file) => has(file, 'pointsPerSec', 'acknowledgedPoints'),
    sections: labSections,
    shown: ['rows'],
  },
  {
    title: 'The console',
    lead: 'How fast the console starts and draws.',
    isOne: (file) => has(file, 'fps') || has(file, 'drawMsMedian'),
    shown: [],
  },
  {
    title: 'Soak',
    lead: 'Mixed work from every system while faults are injected.',
    isOne: (file) => has(file, 'faults') || has(file, 'samples'),
    shown: [],
  },
];

/**
 * The JSON of any `sluice bench ...` as a report: targets, plots where there is something to see, tables of the rest.
 * @param name of the file, for errors.
 * @throws SluiceError `bad-input` when it is none.
 */
export function benchReport(document: unknown, name: string): Report {
  const file = parseBenchFile(document, name);
  const kind = KINDS.find(({ isOne }) => isOne(file));
  return {
    kind: 'Benchmark',
    title: kind?.title ?? name,
    lead: kind?.lead ?? 'Figures of a benchmark.',
    sections: [
      ...(file.bars && file.bars.length > 0 ? [barsSection(file.bars)] : []),
      ...(kind?.sections?.(file) ?? []),
      ...genericSections(file, new Set(kind?.shown ?? [])),
      ...environmentSection(file),
    ],
  };
}

/** The machine, source and settings of the measurement, not of the report. */
function environmentSection({ environment = {} }: BenchFile): readonly Markup[] {
  const rows = Object.entries(environment).flatMap(([key, value]): [string, string][] => {
    if (Array.isArray(value))
      return [
        [
          figureOf(key).title,
          value.map((one) => (typeof one === 'number' ? formatNumber(one) : String(one))).join(', '),
        ],
      ];
    if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) {
      const text =
        key === 'memoryBytes'
          ? formatBytes(Number(value))
          : written(key, value as string | number | boolean | null);
      return [[figureOf(key).title, text]];
    }
    return [];
  });
  return rows.length === 0 ? [] : [section('What was measured on', facts(Object.fromEntries(rows)))];
}
