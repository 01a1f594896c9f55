import {
  builtInScenario,
  ExactOracle,
  LINK_SCENARIO_NAMES,
  mostAccurateChoices,
  SimulatedTestbed,
} from '../../offload';
import type { LinkScenarioName, Scenario } from '../../offload';
import { round } from '../bench/bar';

/** How the reduction against offloading without a choice of models depends on what the papers do not tell. */
export interface SensitivityJob {
  readonly kind: 'sensitivity';
  readonly users: number;
}

export interface SensitivityRow {
  readonly links: LinkScenarioName;
  /** `int8TimeRatio` is that of d4, the others' in proportion; speeds are factors. */
  readonly varied: 'int8TimeRatio' | 'deviceSpeed' | 'edgeSpeed' | 'cloudSpeed' | 'd4AccuracyPct';
  readonly value: number;
  /** At threshold 89, oracle against the oracle of the baseline. */
  readonly reductionPct: number;
  readonly lostAccuracyPct: number;
}

export interface SensitivityResult {
  readonly kind: 'sensitivity';
  readonly users: number;
  readonly rows: readonly SensitivityRow[];
  /** The value at which the reduction crosses 35 %, between neighbours that bracket it; absent where none do. */
  readonly crossings: readonly {
    readonly links: LinkScenarioName;
    readonly varied: SensitivityRow['varied'];
    readonly at: number;
  }[];
}

const THRESHOLD_PCT = 89;
const PAPER_REDUCTION_PCT = 35;

const RATIOS = [0.25, 0.4, 0.5, 0.63, 0.75, 0.9, 1];
const SPEED_FACTORS = [0.25, 0.5, 1, 2, 4];
/** Below the threshold, at it (TensorFlow Lite hosted), and above it (TensorFlow slim). */
const D4_ACCURACIES_PCT = [88.9, 89, 89.5];

export function runSensitivity({ users }: SensitivityJob): SensitivityResult {
  const rows = LINK_SCENARIO_NAMES.flatMap((links) => {
    const base = builtInScenario({ users, links, background: 'steady' });
    const row = (varied: SensitivityRow['varied'], value: number, scenario: Scenario): SensitivityRow => ({
      links,
      varied,
      value,
      ...reductionOf(scenario),
    });
    return [
      ...RATIOS.map((ratio) => row('int8TimeRatio', ratio, withRatio(base, ratio))),
      ...SPEED_FACTORS.map((factor) => row('deviceSpeed', factor, withSpeed(base, 'device', factor))),
      ...SPEED_FACTORS.map((factor) => row('edgeSpeed', factor, withSpeed(base, 'edge', factor))),
      ...SPEED_FACTORS.map((factor) => row('cloudSpeed', factor, withSpeed(base, 'cloud', factor))),
      ...D4_ACCURACIES_PCT.map((pct) => row('d4AccuracyPct', pct, withD4Accuracy(base, pct))),
    ];
  });
  return { kind: 'sensitivity', users, rows, crossings: crossingsOf(rows) };
}

function reductionOf(scenario: Scenario): {
  readonly reductionPct: number;
  readonly lostAccuracyPct: number;
} {
  const { system, truth } = new SimulatedTestbed(scenario, 0);
  const state = new SimulatedTestbed(scenario, 0).observe();
  const best = new ExactOracle(system, truth).best(state, THRESHOLD_PCT);
  const baseline = new ExactOracle(system, truth, mostAccurateChoices(system)).best(state, THRESHOLD_PCT);
  let sumPct = 0;
  for (const choice of best.action) sumPct += system.choiceAccuracyPct[choice] ?? 0;
  return {
    reductionPct: round((1 - best.meanResponseMs / baseline.meanResponseMs) * 100),
    lostAccuracyPct: round(system.mostAccuratePct - sumPct / scenario.users),
  };
}

/** The other widths' ratios keep their proportion to that of d4. */
function withRatio(scenario: Scenario, d4Ratio: number): Scenario {
  const scaled = <Tier extends Scenario['tiers']['edge']>(tier: Tier): Tier => {
    const { int8TimeRatio } = tier;
    if (typeof int8TimeRatio === 'number') return { ...tier, int8TimeRatio: d4Ratio };
    const factor = d4Ratio / (int8TimeRatio['d4'] ?? 1);
    const entries = Object.entries(int8TimeRatio).map(([id, ratio]) => [id, ratio * factor] as const);
    return { ...tier, int8TimeRatio: Object.fromEntries(entries) };
  };
  const { device, edge, cloud } = scenario.tiers;
  return { ...scenario, tiers: { device: scaled(device), edge: scaled(edge), cloud: scaled(cloud) } };
}

function withSpeed(scenario: Scenario, tier: keyof Scenario['tiers'], factor: number): Scenario {
  const own = scenario.tiers[tier];
  return {
    ...scenario,
    tiers: { ...scenario.tiers, [tier]: { ...own, mMacsPerMs: own.mMacsPerMs * factor } },
  };
}

function withD4Accuracy(scenario: Scenario, accuracyPct: number): Scenario {
  const variants = scenario.variants.map((variant) =>
    variant.id === 'd4' ? { ...variant, accuracyPct } : variant,
  );
  return { ...scenario, variants };
}

function crossingsOf(rows: readonly SensitivityRow[]): SensitivityResult['crossings'] {
  return rows.flatMap((row, index) => {
    const next = rows[index + 1];
    if (!next || next.links !== row.links || next.varied !== row.varied) return [];
    const above = row.reductionPct - PAPER_REDUCTION_PCT;
    const nextAbove = next.reductionPct - PAPER_REDUCTION_PCT;
    if (above === nextAbove || above * nextAbove > 0) return [];
    const share = above / (above - nextAbove);
    return [
      { links: row.links, varied: row.varied, at: round(row.value + share * (next.value - row.value)) },
    ];
  });
}
