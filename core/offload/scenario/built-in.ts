import { SluiceError } from '../../contract';
import { mobilenetVariants } from './mobilenet-variants';
import type { LinkClassName, Scenario } from './schema';

/**
 * The four link scenarios: which links are weak. The papers name Regular and Weak links and experiment with four
 * combinations; their tables were not available, so these combinations are ours.
 */
export const LINK_SCENARIOS = {
  A: { userClasses: ['regular'], backhaulClass: 'regular' },
  B: { userClasses: ['regular', 'weak'], backhaulClass: 'regular' },
  C: { userClasses: ['regular'], backhaulClass: 'weak' },
  D: { userClasses: ['weak'], backhaulClass: 'weak' },
} as const satisfies Readonly<
  Record<string, { readonly userClasses: readonly LinkClassName[]; readonly backhaulClass: LinkClassName }>
>;

export type LinkScenarioName = keyof typeof LINK_SCENARIOS;
export const LINK_SCENARIO_NAMES = Object.keys(LINK_SCENARIOS) as readonly LinkScenarioName[];

/** `varying`: others come and go on every node. `steady`: the nodes are ours alone, so there is one state. */
export type BackgroundName = 'varying' | 'steady';

export interface ScenarioChoice {
  readonly users: number;
  readonly links?: LinkScenarioName;
  readonly background?: BackgroundName;
}

const VARIANTS = mobilenetVariants();
const EVERY_VARIANT = VARIANTS.map(({ id }) => id);
const AMPLE_BYTES = 512 << 20;

/**
 * Time of MobileNetV1 in int8 over fp32 at widths 1.0 to 0.25 (9.59 ms over 15.12 ms at 1.0): medians of 70 alternating
 * runs of the zoo's graphs in ONNX Runtime 1.30 on one thread of the development machine. int8 gains less the smaller
 * the network, and loses at the smallest.
 */
const INT8_TIME_RATIO = { d4: 0.63, d5: 0.71, d6: 0.8, d7: 1.16 };

/**
 * Numbers chosen before the first experiment and not changed since, but for the int8 ratios (one for all widths then,
 * measured; since by width, measured): a cloud core is the development machine's
 * (569 MMACs in 15.1 ms), an edge core half of it, a device an eighth. Links: Wi-Fi near the edge against a poor
 * mobile link, and a data centre near against far. `sluice bench offload` sweeps those that matter.
 */
const BASE: Omit<Scenario, 'name' | 'users' | 'links' | 'tiers'> = {
  source: 'sluice built-in scenario data; see core/offload/scenario/built-in.ts',
  variants: VARIANTS,
  measurementNoise: 0.02,
};

const TIERS_VARYING: Scenario['tiers'] = {
  device: {
    cores: 1,
    mMacsPerMs: 4.75,
    int8TimeRatio: INT8_TIME_RATIO,
    overheadMs: 1,
    storageBytesPerMs: 100_000,
    offers: EVERY_VARIANT,
    background: { busyThreads: [0, 0.5], freeBytes: [AMPLE_BYTES], stayProbability: 0.9 },
  },
  edge: {
    cores: 2,
    mMacsPerMs: 19,
    int8TimeRatio: INT8_TIME_RATIO,
    overheadMs: 1,
    storageBytesPerMs: 1_000_000,
    offers: EVERY_VARIANT,
    background: { busyThreads: [0, 2], freeBytes: [AMPLE_BYTES, 0], stayProbability: 0.9 },
  },
  cloud: {
    cores: 8,
    mMacsPerMs: 38,
    int8TimeRatio: INT8_TIME_RATIO,
    overheadMs: 1,
    storageBytesPerMs: 1_000_000,
    offers: EVERY_VARIANT,
    background: { busyThreads: [0, 8], freeBytes: [AMPLE_BYTES], stayProbability: 0.9 },
  },
};

const LINKS = {
  access: { regular: { rttMs: 10, bytesPerMs: 6250 }, weak: { rttMs: 50, bytesPerMs: 1250 } },
  backhaul: { regular: { rttMs: 20, bytesPerMs: 125_000 }, weak: { rttMs: 80, bytesPerMs: 12_500 } },
};

/** A built-in scenario with MobileNetV1's eight variants on every tier. */
export function builtInScenario({ users, links = 'A', background = 'varying' }: ScenarioChoice): Scenario {
  const { userClasses, backhaulClass } = LINK_SCENARIOS[links];
  return {
    ...BASE,
    name: `${links}-${background}-${users}`,
    users,
    tiers: background === 'varying' ? TIERS_VARYING : steady(TIERS_VARYING),
    links: { ...LINKS, userClasses: [...userClasses], backhaulClass },
  };
}

/** @throws SluiceError `bad-input` for a name that is none of the four. */
export function linkScenarioOf(text: string): LinkScenarioName {
  const name = LINK_SCENARIO_NAMES.find((known) => known === text.toUpperCase());
  if (name) return name;
  throw new SluiceError(
    'bad-input',
    `Link scenario: expected one of ${LINK_SCENARIO_NAMES.join(', ')}, found "${text}".`,
  );
}

function steady(tiers: Scenario['tiers']): Scenario['tiers'] {
  const alone = { busyThreads: [0], freeBytes: [AMPLE_BYTES], stayProbability: 1 };
  return {
    device: { ...tiers.device, background: alone },
    edge: { ...tiers.edge, background: alone },
    cloud: { ...tiers.cloud, background: alone },
  };
}
