import type { ChatMessage, LanguageState } from '../../stores';

/** The reply whose figures are shown: the one chosen, else the last. */
export function shownReply({ open, shownReply: chosen }: LanguageState): ChatMessage | undefined {
  if (open === undefined) return undefined;
  const replies = open.messages.filter(({ role }) => role === 'assistant');
  return replies.find(({ id }) => id === chosen) ?? replies.at(-1);
}
