import { expect } from 'vitest';

export const CHAT = '/v1/chat/completions';
export const TEXT = '/v1/completions';
export const MESSAGES = [{ role: 'user', content: 'Hi' }];

/** A request for a conversation, and for a text, to the fake model. */
export const chat = (more: object = {}): object => ({ model: 'parrot', messages: MESSAGES, ...more });
export const plain = (more: object = {}): object => ({ model: 'parrot', prompt: 'Hi', ...more });

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: () => Record<string, unknown>;
}

/** @param body absent: GET. */
export async function ask(
  url: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const raw = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
  const init = body === undefined ? { headers } : { method: 'POST', body: raw, headers };
  const response = await fetch(url, init);
  const text = await response.text();
  const json = (): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>;
  return { status: response.status, headers: response.headers, text, json };
}

/** Documents of a stream, and whether it ended as a whole one does. */
export function eventsOf(text: string): { documents: Record<string, unknown>[]; isDone: boolean } {
  const events = text.split('\n\n');
  expect(events.pop()).toBe('');
  for (const event of events) expect(event).toMatch(/^data: [^\n]*$/);
  const isDone = events.at(-1) === 'data: [DONE]';
  const documents = events
    .slice(0, isDone ? -1 : undefined)
    .map((event) => JSON.parse(event.slice('data: '.length)) as Record<string, unknown>);
  return { documents, isDone };
}
