import { once } from 'node:events';

import { SluiceError } from '../../contract';
import type { LanguageSettings, RoundRecord } from '../../contract';
import type { PrefillOptions } from '../../llm';
import { openSource } from '../language/conversations/source-factory';
import type { ConversationSource, SourceFactory } from '../language/conversations/conversation-source';

/** Sources of this build that do as a test says. */
export class ScriptedSources {
  /** Replies wait behind so many tokens until they are stopped. */
  pauseAfter = Infinity;
  /** Replies fail behind so many tokens. */
  failAfter = Infinity;
  /** Settings in mid-conversation need another source. */
  refusesSettings = false;
  /** Sources that were opened so far. */
  opened = 0;
  /** Settings that were given to sources, in order. */
  readonly configured: LanguageSettings[] = [];
  /** Ends a round of the source that was opened last. */
  endRound: (round: RoundRecord) => void = () => undefined;

  readonly open: SourceFactory = async (request) => {
    const source = await openSource(request);
    this.opened += 1;
    this.endRound = request.onRound;
    return this.scripted(source);
  };

  private scripted(source: ConversationSource): ConversationSource {
    let tokens = 0;
    return {
      prefill: (prompt: readonly number[], options?: PrefillOptions) => {
        tokens = 0;
        return source.prefill(prompt, options);
      },
      next: async (limit, signal) => {
        if (tokens === this.failAfter) throw new SluiceError('io', 'the disk of the cache is gone');
        if (tokens === this.pauseAfter && signal && !signal.aborted) await once(signal, 'abort');
        tokens += 1;
        return source.next(limit, signal);
      },
      configure: (settings) => {
        this.configured.push(settings);
        return !this.refusesSettings && source.configure(settings);
      },
      grow: (maxTokens) => source.grow?.(maxTokens),
      memory: () => source.memory!(),
      map: () => source.map!(),
      close: () => source.close(),
    };
  }
}
