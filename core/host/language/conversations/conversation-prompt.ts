import { SluiceError } from '../../../contract';
import type { Message } from '../../../contract';
import { ChatTemplate } from '../../../llm';
import type { LanguageModel } from '../../../llm';
import { textOf } from './stored-conversation';

interface Turn {
  readonly role: Message['role'];
  readonly content: string;
}

/**
 * A conversation as the tokens that its model continues with the next reply. They depend on its text alone, so they are
 * the same after a restart.
 * @throws SluiceError `unsupported` without a chat template, `bad-input` when the template refuses the messages.
 */
export function promptTokens(
  { tokenizer, file }: LanguageModel,
  messages: readonly Message[],
): readonly number[] {
  const text = new ChatTemplate(file, tokenizer.chatTemplate).render(turnsOf(messages), tokenizer);
  return tokenizer.encode(text, { addBos: false });
}

/** Many templates want user and assistant in turns: replies without a word are left out, and questions then joined. */
export function turnsOf(messages: readonly Message[]): readonly Turn[] {
  const turns: Turn[] = [];
  for (const message of messages) {
    const { role } = message;
    const content = textOf(message);
    if (role === 'assistant' && content === '') continue;
    const last = turns.at(-1);
    if (last?.role === 'user' && role === 'user') {
      turns[turns.length - 1] = { role, content: `${last.content}\n\n${content}` };
    } else turns.push({ role, content });
  }
  return turns;
}

/**
 * Tokens a reply may still have.
 * @param written tokens of it that are there already, of the prompt's.
 * @throws SluiceError `bad-input` when the conversation fills the context.
 */
export function replyLimit(
  { file, decoder }: LanguageModel,
  promptLength: number,
  written: number,
  maxTokens: number,
): number {
  const { contextLength } = decoder.config;
  const room = contextLength - promptLength;
  if (room >= 1) return Math.min(room, Math.max(1, maxTokens - written));
  throw new SluiceError(
    'bad-input',
    `The conversation has ${promptLength} tokens; the context of ${file} is ${contextLength}, one of them for the reply. ` +
      'Start a new conversation, or ask something shorter.',
    { promptTokens: promptLength, contextLength },
  );
}
