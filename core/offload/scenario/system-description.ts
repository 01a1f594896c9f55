import { z } from 'zod';

import { variantSchema } from './schema';
import type { System } from './system';

const levels = z.tuple([z.int().min(1), z.int().min(1), z.int().min(1)]);

/** A system as plain data, so that what was decided in it can be read and replayed later. */
export const systemDescriptionSchema = z.strictObject({
  users: z.int().min(1),
  variants: z.array(variantSchema).min(1),
  /** [choices]: tier code and index of the variant. */
  choices: z
    .array(z.tuple([z.int().min(0).max(2), z.int().min(0)]))
    .min(1)
    .max(256),
  sharedTiers: z.tuple([z.boolean(), z.boolean(), z.boolean()]),
  cpuLevels: levels,
  memoryLevels: levels,
});

export type SystemDescription = z.infer<typeof systemDescriptionSchema>;

/** As JSON can hold it; `systemOfDescription` reads it back. */
export function describeSystem(system: System): SystemDescription {
  const { users, variants, choiceTier, choiceVariant, sharedTiers, cpuLevels, memoryLevels } = system;
  return {
    users,
    variants: [...variants],
    choices: Array.from(choiceTier, (tier, choice) => [tier, choiceVariant[choice]!]),
    sharedTiers: [...sharedTiers],
    cpuLevels: [...cpuLevels],
    memoryLevels: [...memoryLevels],
  };
}

/** @throws RangeError for a choice of a variant there is not: the description was made by `describeSystem`. */
export function systemOfDescription(description: SystemDescription): System {
  const { choices, variants, ...rest } = description;
  const accuraciesPct = choices.map(([, variant]) => {
    const found = variants[variant];
    if (!found) throw new RangeError(`choice of variant ${variant}, there are ${variants.length}`);
    return found.accuracyPct;
  });
  return {
    ...rest,
    variants,
    choices: choices.length,
    choiceTier: Uint8Array.from(choices, ([tier]) => tier),
    choiceVariant: Uint8Array.from(choices, ([, variant]) => variant),
    choiceAccuracyPct: Float64Array.from(accuraciesPct),
    mostAccuratePct: Math.max(...accuraciesPct),
    leastAccuratePct: Math.min(...accuraciesPct),
  };
}
