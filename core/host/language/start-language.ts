import { join } from 'node:path';

import type { CompressorSummary } from '../../contract';
import type { EventBus } from '../event-bus';
import type { HostClock } from '../host-clock';
import type { Jobs } from '../jobs';
import type { LoadedModels } from '../models/loaded-models';
import type { Log } from '../state-file';
import { ConversationStore } from './conversations/conversation-store';
import { Conversations } from './conversations/conversations';
import { LanguageLibrary } from './library/language-library';
import { LanguageModels } from './library/language-models';
import type { PullModel } from './library/language-models';
import { weightStoreFolder } from './library/weight-store-folder';
import { LoadedLanguageModel } from './conversations/loaded-language-model';
import { ReplyRunner } from './conversations/reply-runner';
import { compressorSummaries, openSource as openBuiltSource } from './conversations/source-factory';
import type { SourceFactory } from './conversations/conversation-source';

export interface LanguageParts {
  readonly dataDir: string;
  readonly threads: number;
  readonly loaded: Pick<LoadedModels, 'hold' | 'roomBytes' | 'checkRoom'>;
  readonly jobs: Jobs;
  readonly bus: EventBus;
  readonly clock: HostClock;
  readonly log: Log;
  readonly pullModel?: PullModel;
  /** Default: those of this build. */
  readonly openSource?: SourceFactory;
}

/** Language models and the conversations with them. */
export interface Language {
  readonly models: LanguageModels;
  readonly conversations: Conversations;
  readonly compressors: readonly CompressorSummary[];
  /** Stops the reply that is written, saves it, and frees the model. Jobs are their owner's to stop. */
  readonly close: () => Promise<void>;
}

/** Puts together what replies. Nothing is read or written before it is used. */
export function startLanguage(parts: LanguageParts): Language {
  const { dataDir, threads, bus, clock, log, openSource = openBuiltSource } = parts;
  const library = new LanguageLibrary(dataDir);
  const loaded = new LoadedLanguageModel({
    library,
    budget: parts.loaded,
    threads,
    weightStore: (path) => weightStoreFolder(dataDir, path),
    openSource,
  });
  const store = new ConversationStore({
    folder: join(dataDir, 'conversations'),
    bus,
    log,
    runningHere: () => replies.messageId,
  });
  const replies: ReplyRunner = new ReplyRunner({ store, loaded, bus, clock, log });
  const models = new LanguageModels({ ...parts, library, loaded });
  return {
    models,
    conversations: new Conversations({ store, replies, loaded, clock }),
    compressors: compressorSummaries(),
    close: async () => {
      await replies.close();
      await loaded.close();
      await store.settled();
    },
  };
}
