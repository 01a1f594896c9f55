import { DEFAULT_LANGUAGE_SETTINGS } from '../../core/contract';
import type {
  CacheMap,
  CacheMemory,
  CompressorSummary,
  Conversation,
  ConversationSummary,
  LanguageModelSummary,
  LanguageProgress,
  Message,
  ReplyStats,
  RoundRecord,
  TextPiece,
  TokenOrigin,
} from '../../core/contract';

/** Test data only: a model and a conversation of made-up but consistent shape. Nothing here reaches the product. */
const MIB = 2 ** 20;
const AT = '2026-05-01T10:00:00.000Z';

export const FAKE_LANGUAGE_MODEL: LanguageModelSummary = {
  name: 'SmolLM2-135M-Instruct',
  state: 'ready',
  architecture: 'llama',
  quantisation: 'Q4_1',
  parameters: 134_515_008,
  weightBytes: 92 * MIB,
  layers: 30,
  contextLength: 8192,
  cacheBytesPerToken: 46_080,
  hasChatTemplate: true,
  importedAt: AT,
  sourceFile: '/home/user/models/smollm2-135m-instruct-q4_1.gguf',
};

export const FAKE_COMPRESSORS: readonly CompressorSummary[] = [
  { name: 'snapkv', title: 'SnapKV', source: 'Li et al. 2024, arXiv 2404.14469, section 4', kind: 'drop' },
  {
    name: 'streaming',
    title: 'StreamingLLM',
    source: 'Xiao et al. 2023, arXiv 2309.17453, section 3',
    kind: 'drop',
  },
  { name: 'knorm', title: 'KNorm', source: 'Devoto et al. 2024, arXiv 2406.11430, section 3', kind: 'drop' },
  {
    name: 'int8',
    title: 'Int8',
    source: 'symmetric, one scale a row',
    kind: 'quantise',
    fixedRatio: 3.8,
  },
];

export function fakeStats(part: Partial<ReplyStats> = {}): ReplyStats {
  return {
    promptTokens: 1040,
    reusedTokens: 1024,
    generatedTokens: 42,
    prefillMs: 410,
    decodeMs: 1790,
    tokensPerSec: 23.4,
    acceptance: 0.87,
    draftLength: 6,
    rounds: 8,
    ...part,
  };
}

export function fakeRound(index: number): RoundRecord {
  const drafted = 4 + ((index * 7) % 5);
  const accepted = index % 3 === 2 ? Math.max(0, drafted - 3) : drafted;
  const [draftMs, swapMs, verifyMs] = [
    drafted * 6.2,
    index % 4 === 0 ? 18 : 3.5,
    24 + ((index * 3) % 7),
  ] as const;
  return {
    index,
    startMs: index * 74,
    draftMs,
    swapMs,
    verifyMs,
    drafted,
    proposed: index % 5 === 1 ? drafted : 0,
    accepted,
    readBytes: 12.4 * MIB,
  };
}

export function fakeRounds(count: number, from = 0): readonly RoundRecord[] {
  return Array.from({ length: count }, (_, index) => fakeRound(from + index));
}

/** A piece of one token a word. */
export function fakePiece(text: string, origin: TokenOrigin = 'accepted'): TextPiece {
  return { text, origin, tokens: Math.max(1, text.trim().split(/\s+/).length) };
}

export function fakeQuestion(id: string, text: string): Message {
  return { id, role: 'user', state: 'done', at: AT, pieces: [fakePiece(text, 'prompt')] };
}

export function fakeReply(part: Partial<Message> & { readonly id: string }): Message {
  return {
    role: 'assistant',
    state: 'done',
    at: AT,
    pieces: [
      fakePiece('The cache is drafted on'),
      fakePiece(' a', 'corrected'),
      fakePiece(' compressed copy.'),
      fakePiece(' Then', 'bonus'),
    ],
    ...part,
  };
}

export function fakeMemory(part: Partial<CacheMemory> = {}): CacheMemory {
  return {
    budgetBytes: 24 * MIB,
    compressedBytes: 11.2 * MIB,
    residentBytes: 4 * MIB,
    streamBytes: 6.1 * MIB,
    storedBytes: 45 * MIB,
    ...part,
  };
}

export function fakeMap(tokens = 1082, layers = 30): CacheMap {
  const each = (of: (layer: number) => number): readonly number[] =>
    Array.from({ length: layers }, (_, layer) => Math.round(of(layer)));
  const inMemory = each((layer) => (layer < 3 ? tokens : 58));
  return {
    tokens,
    kept: each((layer) => tokens * (0.34 - 0.006 * layer)),
    inMemory,
    onDisk: inMemory.map((held) => tokens - held),
  };
}

export function fakeSummary(
  part: Partial<ConversationSummary> & { readonly id: string },
): ConversationSummary {
  return {
    title: 'How does a draft get verified?',
    model: FAKE_LANGUAGE_MODEL.name,
    tokens: 1082,
    bytes: 45 * MIB,
    updatedAt: AT,
    ...part,
  };
}

export function fakeConversation(part: Partial<Conversation> & { readonly id: string }): Conversation {
  return {
    ...fakeSummary(part),
    settings: DEFAULT_LANGUAGE_SETTINGS,
    messages: [
      fakeQuestion('q1', 'How does a draft get verified?'),
      fakeReply({ id: 'r1', stats: fakeStats(), rounds: fakeRounds(8), finishReason: 'end' }),
    ],
    memory: fakeMemory(),
    map: fakeMap(),
    ...part,
  };
}

export function fakeProgress(
  part: Partial<LanguageProgress> & Pick<LanguageProgress, 'conversationId' | 'messageId'>,
): LanguageProgress {
  return { phase: { kind: 'generating' }, pieces: [], rounds: [], stats: fakeStats(), ...part };
}
