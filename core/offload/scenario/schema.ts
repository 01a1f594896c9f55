import { z } from 'zod';

import { faultTexts, SluiceError } from '../../contract';

const positive = z.number().positive();
const share = z.number().min(0).max(1);

/** One way to answer a request: a network with a published accuracy. */
export const variantSchema = z.strictObject({
  id: z.string().min(1),
  title: z.string().min(1),
  accuracyPct: z.number().min(0).max(100),
  /** Multiply-accumulates of one inference, in millions. */
  mMacs: positive,
  precision: z.enum(['fp32', 'int8']),
  weightBytes: z.int().positive(),
  /** What one request sends when it runs elsewhere. */
  payloadBytes: z.int().positive(),
  /** Where the accuracy and the MMACs are published. */
  source: z.string().min(1),
});

/** How much of a node others take, as a Markov chain: each step it stays at its level or moves to a random other one. */
const background = z.strictObject({
  /** Inferences that run on the node all the time at each CPU level, in threads. */
  busyThreads: z.array(z.number().min(0)).min(1).max(16),
  /** Memory free for weights at each memory level; a variant that does not fit streams its weights from storage. */
  freeBytes: z.array(z.int().min(0)).min(1).max(16),
  stayProbability: share,
});

const tier = z.strictObject({
  /** One inference runs on one core. */
  cores: positive,
  /** fp32 speed of a core. */
  mMacsPerMs: positive,
  /** Time of an int8 network over that of the same network in fp32: one number for all, or one by variant id. */
  int8TimeRatio: z.union([positive, z.record(z.string(), positive)]),
  /** Part of an inference that does not depend on its size. */
  overheadMs: z.number().min(0),
  storageBytesPerMs: positive,
  /** Ids of the variants it serves. */
  offers: z.array(z.string()).min(1),
  background,
});

const linkClass = z.strictObject({ rttMs: z.number().min(0), bytesPerMs: positive });
const linkClassName = z.enum(['regular', 'weak']);

export const scenarioSchema = z
  .strictObject({
    name: z.string().min(1),
    /** Where the numbers come from, for people. */
    source: z.string().min(1),
    users: z.int().min(1).max(1000),
    variants: z.array(variantSchema).min(1).max(64),
    tiers: z.strictObject({ device: tier, edge: tier, cloud: tier }),
    links: z.strictObject({
      /** Between a device and the edge. */
      access: z.strictObject({ regular: linkClass, weak: linkClass }),
      /** Between the edge and the cloud; its bandwidth is shared by the users. */
      backhaul: z.strictObject({ regular: linkClass, weak: linkClass }),
      /** Classes at the start; users take them in turn. */
      userClasses: z.array(linkClassName).min(1),
      backhaulClass: linkClassName,
    }),
    /** Standard deviation of measured over true response times, relative. */
    measurementNoise: z.number().min(0).max(1),
  })
  .superRefine((scenario, context) => {
    const ids = scenario.variants.map(({ id }) => id);
    const twice = ids.find((id, index) => ids.indexOf(id) !== index);
    if (twice !== undefined) {
      context.addIssue({ code: 'custom', path: ['variants'], message: `two variants are called "${twice}"` });
    }
    for (const [name, { offers, int8TimeRatio }] of Object.entries(scenario.tiers)) {
      for (const id of offers.filter((offered) => !ids.includes(offered))) {
        const message = `"${id}" is no variant; there are ${ids.join(', ')}`;
        context.addIssue({ code: 'custom', path: ['tiers', name, 'offers'], message });
      }
      if (typeof int8TimeRatio === 'number') continue;
      const int8 = scenario.variants.filter(({ precision }) => precision === 'int8').map(({ id }) => id);
      const lacking = int8.filter((id) => offers.includes(id) && !(id in int8TimeRatio));
      const unknown = Object.keys(int8TimeRatio).filter((id) => !int8.includes(id));
      if (lacking.length + unknown.length === 0) continue;
      const found = Object.keys(int8TimeRatio).join(', ') || 'none';
      const message = `expected a ratio for each int8 variant offered (of ${int8.join(', ')}), found ${found}`;
      context.addIssue({ code: 'custom', path: ['tiers', name, 'int8TimeRatio'], message });
    }
  });

export type Scenario = z.infer<typeof scenarioSchema>;
export type Variant = z.infer<typeof variantSchema>;

export type LinkClassName = z.infer<typeof linkClassName>;
export type TierName = keyof Scenario['tiers'];

/** Time of a variant on a tier over that of an fp32 network of as many MMACs. */
export function timeRatioOf(scenario: Scenario, tier: TierName, { id, precision }: Variant): number {
  const { int8TimeRatio } = scenario.tiers[tier];
  if (precision === 'fp32') return 1;
  // The schema wants one for every int8 variant offered; what is not offered is not run.
  return typeof int8TimeRatio === 'number' ? int8TimeRatio : (int8TimeRatio[id] ?? 1);
}

/** In the order that choice and node indices follow. */
export const TIERS: readonly TierName[] = ['device', 'edge', 'cloud'];
export const LINK_CLASSES: readonly LinkClassName[] = ['regular', 'weak'];

/**
 * Reads a scenario from JSON text. @param origin names it in messages, as a path does.
 * @throws SluiceError `bad-input` with every fault and where it stands.
 */
export function parseScenario(text: string, origin: string): Scenario {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SluiceError(
      'bad-input',
      `${origin}: expected JSON of an offload scenario: ${reason}`,
      {},
      { cause },
    );
  }
  const parsed = scenarioSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const faults = faultTexts(parsed.error.issues, 'top level');
  throw new SluiceError('bad-input', `${origin} is no offload scenario: ${faults.join('; ')}.`, { faults });
}
