import { TIERS } from './schema';
import type { Variant } from './schema';
import type { System } from './system';

/** CPU free or busy, memory ample or short. */
const LEVELS = [2, 2, 2] as const;

/**
 * The system of a real deployment: one box whose users share the device, with all variants on every tier (what is not
 * offered somewhere, decisions are kept from). Its speeds and links are measured, not given.
 * @param variants at most 85.
 */
export function deploymentSystem(users: number, variants: readonly Variant[]): System {
  const accuraciesPct = variants.map(({ accuracyPct }) => accuracyPct);
  const each = <T>(value: (tier: number, variant: number) => T): T[] =>
    TIERS.flatMap((_, tier) => variants.map((__, variant) => value(tier, variant)));
  return {
    users,
    choices: TIERS.length * variants.length,
    choiceTier: Uint8Array.from(each((tier) => tier)),
    choiceVariant: Uint8Array.from(each((_, variant) => variant)),
    choiceAccuracyPct: Float64Array.from(each((_, variant) => accuraciesPct[variant]!)),
    variants,
    sharedTiers: [true, true, true],
    cpuLevels: LEVELS,
    memoryLevels: LEVELS,
    mostAccuratePct: Math.max(...accuraciesPct),
    leastAccuratePct: Math.min(...accuraciesPct),
  };
}
