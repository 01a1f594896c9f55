import { z } from 'zod';

import { shortArray, unsupportedBut } from './parameters';
import type { RequestFault } from './parameters';

/** No context has room for more messages, or parts of one. */
const MOST_MESSAGES = 10_000;
const ROLES = { system: 'system', developer: 'system', user: 'user', assistant: 'assistant' } as const;
type Role = keyof typeof ROLES;

/** A text, or text parts, which are joined by line breaks; templates of models know text only. */
const content = z.unknown().transform((value, context): string => {
  const refuse = (message: string, path: (string | number)[] = [], fault?: RequestFault): void =>
    void context.issues.push({
      code: 'custom',
      input: value,
      message,
      path,
      ...(fault && { params: { fault } }),
    });
  if (typeof value === 'string') return value;
  if (!Array.isArray(value) || value.length === 0 || value.length > MOST_MESSAGES) {
    refuse(`expected a text or an array of text parts, at most ${MOST_MESSAGES}`);
    return '';
  }
  return value
    .map((part: unknown, index): string => {
      const { type, text } = Object(part) as { readonly type?: unknown; readonly text?: unknown };
      if (type === 'text' && typeof text === 'string') return text;
      if (type === 'text') refuse('expected a text', [index, 'text']);
      else if (typeof type === 'string') {
        const named = type.slice(0, 40);
        refuse(`parts of type "${named}" are not supported; send text parts`, [index], 'unsupported_value');
      } else refuse('expected a part with a type', [index]);
      return '';
    })
    .join('\n');
});

/** The members of an assistant's message as this API gave it may come back with it; nothing may be in them. */
const message = z
  .strictObject({
    role: z.enum(Object.keys(ROLES) as Role[], {
      error: ({ input }) =>
        `expected ${Object.keys(ROLES).join(', ')}; found ${input === undefined ? 'none' : JSON.stringify(input).slice(0, 40)}`,
    }),
    content,
    name: unsupportedBut(),
    refusal: unsupportedBut(),
    audio: unsupportedBut(),
    annotations: unsupportedBut([]),
    tool_calls: unsupportedBut([]),
    function_call: unsupportedBut(),
  })
  .transform(({ role, content: text }) => ({ role: ROLES[role], content: text }));

export const messagesSchema = shortArray(message, MOST_MESSAGES).refine(
  (messages) => messages.length > 0,
  'expected at least one message',
);
