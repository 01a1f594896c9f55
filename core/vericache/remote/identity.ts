import { SluiceError } from '../../contract';
import type { CacheIdentity } from '../store/cache-identity';

/**
 * A node's cache is used only where this process would compute the same bits.
 * @throws SluiceError `stale-store` naming all that differs.
 */
export function refuseOtherIdentity(node: string, found: CacheIdentity, expected: CacheIdentity): void {
  const differences = identityDifferences(found, expected);
  if (differences.length === 0) return;
  throw new SluiceError(
    'stale-store',
    `The cache on ${node} has ${differences.join(', ')}: its values would not be those that are computed here. ` +
      'Use a node with the same model file, program and kind of processor, or none.',
    { differences },
  );
}

/** @param expected as another node tells it: it may lack anything. */
export function identityDifferences(
  found: CacheIdentity,
  expected: Readonly<Record<string, string>>,
): string[] {
  return (['weights', 'runtime', 'instructionSet', 'precision'] as const).flatMap((name) => {
    const wanted = expected[name] ?? 'nothing';
    return found[name] === wanted ? [] : [`${name} ${short(found[name])} instead of ${short(wanted)}`];
  });
}

/** A hash by its first digits. */
function short(value: string): string {
  return /^[0-9a-f]{64}$/.test(value) ? `${value.slice(0, 12)}...` : value.slice(0, 100);
}
