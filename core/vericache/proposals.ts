import type { CacheMemory } from '../contract';
import type { Proposer } from './vericache-options';

/** @returns what the first that proposes anything gives. */
export async function firstProposal(
  proposers: readonly Proposer[],
  text: readonly number[],
  limit: number,
  signal: AbortSignal | undefined,
): Promise<readonly number[]> {
  for (const proposer of proposers) {
    const tokens = await proposer.propose(text, limit, signal);
    if (tokens.length > 0) return tokens.slice(0, limit);
  }
  return [];
}

/** One after the other: each may take the processor for itself. @throws SluiceError `cancelled`, what they throw. */
export async function prepareAll(
  proposers: readonly Proposer[],
  text: readonly number[],
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const proposer of proposers) await proposer.prepare?.(text, signal);
}

/** What they take beside the budget of the caches; nothing where none takes any to speak of. */
export function proposerMemory(proposers: readonly Proposer[]): Pick<CacheMemory, 'draftModelBytes'> {
  const draftModelBytes = proposers.reduce((sum, { memoryBytes = 0 }) => sum + memoryBytes, 0);
  return draftModelBytes > 0 ? { draftModelBytes } : {};
}
