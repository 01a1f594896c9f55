import type { CacheMemory } from '../../../contract';
import type { LanguageModel } from '../../../llm';

/** Adds to the memory of caches what is told of weights that stream; nothing when all are in memory. */
export function withStreamedWeights(
  memory: CacheMemory,
  { decoder, weightBytes }: LanguageModel,
): CacheMemory {
  const { budgetBytes, streamedBytesPerPass: readBytesPerPass } = decoder.weightMemory();
  if (budgetBytes === undefined || readBytesPerPass === 0) return memory;
  return { ...memory, streamedWeights: { budgetBytes, weightBytes, readBytesPerPass } };
}
