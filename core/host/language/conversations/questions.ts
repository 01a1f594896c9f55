import { randomUUID } from 'node:crypto';

import { SluiceError } from '../../../contract';
import type { Message } from '../../../contract';
import type { DecodedToken } from '../../../llm';
import { decodedTokens } from './reply-pieces';
import { runsElsewhere, titleOf } from './stored-conversation';
import type { StoredConversation } from './stored-conversation';

/** A conversation whose last message is the reply that is to be written. */
export interface Question {
  readonly messages: readonly Message[];
  /** Tokens of that reply that are there already. */
  readonly written: readonly DecodedToken[];
}

/** @param sha256 of the model that is to reply. @throws SluiceError when there is nothing to reply to. */
export type Ask = (current: StoredConversation, sha256: string, at: string) => Question;

/** A new question. */
export function newQuestion(text: string): Ask {
  return ({ messages }, _sha256, at) => ({
    messages: [...messages, textMessage('user', text, at), newReply(at)],
    written: [],
  });
}

/** The last reply again, or the rest of it. @throws SluiceError `bad-input` before the first question. */
export const lastQuestion: Ask = ({ id, messages, partial }, sha256, at) => {
  const last = messages.at(-1);
  if (last?.role !== 'assistant') {
    throw new SluiceError('bad-input', 'This conversation has no reply yet. Send a question first.', { id });
  }
  const before = messages.slice(0, -1);
  // Tokens mean nothing to another model.
  const isGoneOnWith = last.state !== 'done' && partial?.sha256 === sha256;
  const written = isGoneOnWith ? decodedTokens(last, partial.tokens) : undefined;
  if (!written || written.length === 0) return { messages: [...before, newReply(at)], written: [] };
  const { error: _error, finishReason: _reason, ...rest } = last;
  return { messages: [...before, { ...rest, state: 'running' }], written };
};

export function textMessage(role: 'system' | 'user', text: string, at: string): Message {
  const pieces = [{ text, tokens: 0, origin: 'prompt' as const }];
  return { id: randomUUID(), role, pieces, state: 'done', at };
}

/** @throws SluiceError `conflict` while another engine writes a reply into the conversation. */
export function refuseElsewhere(stored: StoredConversation): void {
  if (!runsElsewhere(stored)) return;
  throw new SluiceError(
    'conflict',
    `Another Sluice on this machine is writing a reply in "${titleOf(stored)}". Wait for it, or stop it there.`,
    { id: stored.id },
  );
}

function newReply(at: string): Message {
  return { id: randomUUID(), role: 'assistant', pieces: [], state: 'running', at };
}
