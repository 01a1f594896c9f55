import type { Random } from '../../../base';

export const FAULT_KINDS = [
  'disk-error',
  'slow-disk',
  'damaged-block',
  'full-disk',
  'clock-jump',
  'engine-kill',
  'endpoint-kill',
  'lab-kill',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** A fault to come. */
export interface DrawnFault {
  readonly kind: FaultKind;
  /** Since the work began; it waits until the work has recovered from the one before. */
  readonly atMs: number;
  readonly durationMs: number;
  /** 0 to 1: how bad, which of several. */
  readonly luck: number;
}

/** A process that is watched for leaks must not be killed all the time. */
const KILLS: readonly FaultKind[] = ['engine-kill', 'endpoint-kill', 'lab-kill'];
const KILLS_UNTIL = 1 / 3;
const SPACING_MS = 12_000;
const LONGEST_MS = 6000;
const SHARE_AT_WORK = 0.4;

/**
 * Every kind once in an order of the seed's choice, then any of them; kills only in the first third after that, so that
 * the memory of one and the same process is seen for the rest.
 * @param totalMs of the work.
 */
export function drawFaults(
  kinds: readonly FaultKind[],
  totalMs: number,
  random: Random,
): readonly DrawnFault[] {
  if (kinds.length === 0) return [];
  const count = Math.max(kinds.length, Math.floor(totalMs / SPACING_MS));
  const spacingMs = totalMs / (count + 1);
  const order = shuffled(kinds, random);
  return Array.from({ length: count }, (_, index) => {
    const atMs = spacingMs * (index + 0.5 + 0.5 * random());
    const gentle = kinds.filter((kind) => !KILLS.includes(kind));
    const choice = atMs > totalMs * KILLS_UNTIL && gentle.length > 0 ? gentle : kinds;
    const later = choice[Math.floor(random() * choice.length)] ?? kinds[0]!;
    const durationMs = Math.min(LONGEST_MS, spacingMs * SHARE_AT_WORK) * (0.5 + 0.5 * random());
    return { kind: order[index] ?? later, atMs, durationMs, luck: random() };
  });
}

function shuffled<T>(items: readonly T[], random: Random): readonly T[] {
  return items
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
