import { z } from 'zod';

import { SluiceError, TOKEN_ORIGINS } from '../../../contract';
import type { Message, WireError } from '../../../contract';
import { isProcessAlive, processMark } from '../../../storage';
import { languageSettingsSchema } from './settings-schema';

const count = z.number().int().nonnegative();
const figure = z.number().nonnegative();

const statsSchema = z.object({
  promptTokens: count,
  reusedTokens: count,
  generatedTokens: count,
  prefillMs: figure,
  decodeMs: figure,
  tokensPerSec: figure,
  acceptance: figure,
  draftLength: count,
  rounds: count,
});

const roundSchema = z.object({
  index: count,
  startMs: figure,
  draftMs: figure,
  swapMs: figure,
  verifyMs: figure,
  drafted: count,
  proposed: count,
  accepted: count,
  readBytes: count,
});

const messageSchema: z.ZodType<Message> = z.object({
  id: z.string(),
  role: z.enum(['system', 'user', 'assistant']),
  pieces: z.array(z.object({ text: z.string(), tokens: count, origin: z.enum(TOKEN_ORIGINS) })),
  state: z.enum(['running', 'done', 'cancelled', 'failed']),
  error: z.custom<WireError>((value) => typeof value === 'object' && value !== null).exactOptional(),
  finishReason: z.enum(['end', 'stop', 'length', 'cancelled']).exactOptional(),
  stats: statsSchema.exactOptional(),
  rounds: z.array(roundSchema).exactOptional(),
  at: z.string(),
});

export const CONVERSATION_FORMAT = 1;

/** What `conversation.json` holds. */
export const storedConversationSchema = z.object({
  format: z.literal(CONVERSATION_FORMAT),
  id: z.string(),
  /** That the user gave. */
  title: z.string().exactOptional(),
  model: z.string(),
  /** In the cache after the last reply. */
  tokens: count,
  updatedAt: z.string(),
  settings: languageSettingsSchema,
  messages: z.array(messageSchema).readonly(),
  /** Mark of the process that writes the reply that is running. */
  process: z.string().exactOptional(),
  /**
   * Tokens of the last reply if it did not come to its end, those of its pieces: text does not tell which tokens it was
   * made of, and going on with others could end in another text.
   */
  partial: z.object({ sha256: z.string(), tokens: z.array(count).readonly() }).exactOptional(),
});
export type StoredConversation = z.infer<typeof storedConversationSchema>;

const TITLE_LETTERS = 60;
const UNTITLED = 'New conversation';

/** The user's own title, or the first words of the first question. */
export function titleOf({ title, messages }: Pick<StoredConversation, 'title' | 'messages'>): string {
  if (title !== undefined) return title;
  const question = messages.find(({ role }) => role === 'user');
  const words = question ? textOf(question).trim().replace(/\s+/g, ' ') : '';
  if (words.length <= TITLE_LETTERS) return words === '' ? UNTITLED : words;
  const cut = words.slice(0, TITLE_LETTERS + 1);
  const end = cut.lastIndexOf(' ');
  // A first word without an end is cut, but not in the middle of a surrogate pair.
  return `${(end > 0 ? cut.slice(0, end) : cut.slice(0, TITLE_LETTERS)).replace(/[\ud800-\udbff]$/, '')}…`;
}

export function textOf({ pieces }: Message): string {
  return pieces.map(({ text }) => text).join('');
}

/** Whether another process is writing a reply into it now. */
export function runsElsewhere({ process }: StoredConversation): boolean {
  return process !== undefined && process !== processMark() && isProcessAlive(process);
}

/**
 * What was saved of a conversation, as it is now: a reply whose engine has ended has failed.
 * @param runningHere the reply that this process is writing.
 */
export function recovered(stored: StoredConversation, runningHere: string | undefined): StoredConversation {
  const last = stored.messages.at(-1);
  if (last?.state !== 'running' || last.id === runningHere || runsElsewhere(stored)) return stored;
  const { process: _ended, ...rest } = stored;
  const failed: Message = { ...last, state: 'failed', error: ENGINE_STOPPED.toWire() };
  return { ...rest, messages: [...stored.messages.slice(0, -1), failed] };
}

const ENGINE_STOPPED = new SluiceError(
  'engine-down',
  'The engine stopped before this reply was saved to its end. What had been saved of it is here; ask for the rest with Retry.',
);
