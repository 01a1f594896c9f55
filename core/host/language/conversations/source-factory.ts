import type { CompressorSummary } from '../../../contract';
import { allCompressors } from '../../../vericache';
import type { SourceFactory } from './conversation-source';
import { FullSource } from './full-source';
import { VericacheConversation } from './vericache-conversation';

/** Ways to compress the cache, as the console lists them. */
export function compressorSummaries(): readonly CompressorSummary[] {
  return allCompressors().map(({ name, title, source, kind, fixedRatio }) => ({
    name,
    title,
    source,
    kind,
    ...(fixedRatio !== undefined && { fixedRatio }),
  }));
}

export const openSource: SourceFactory = async (request) => {
  const { model, settings, maxTokens } = request;
  if (settings.mode === 'full') return new FullSource(model, settings, maxTokens);
  return VericacheConversation.open(request);
};
