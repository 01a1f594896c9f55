import { act, fireEvent, render, screen } from '@testing-library/react';
import { expect, vi } from 'vitest';

import type { Conversation, LanguageProgress, Message } from '../../core/contract';
import { LanguageView } from '../panels/language/language-view';
import { SessionContext } from '../session';
import {
  FAKE_LANGUAGE_MODEL,
  fakeConversation,
  fakeProgress,
  fakeQuestion,
  fakeReply,
  fakeSummary,
} from './fake-language';
import { createTestSession } from './test-session';
import type { TestSession } from './test-session';

interface Scene {
  readonly conversation?: Conversation;
  readonly models?: readonly (typeof FAKE_LANGUAGE_MODEL)[];
  readonly conversations?: readonly ReturnType<typeof fakeSummary>[];
}

export async function show({
  conversation = fakeConversation({ id: 'c' }),
  models = [FAKE_LANGUAGE_MODEL],
  conversations = [fakeSummary({ id: 'c' }), fakeSummary({ id: 'd', title: 'Another' })],
}: Scene = {}): Promise<TestSession> {
  const bench = createTestSession({});
  bench.engine.script({
    'language.models': () => models,
    'language.conversations': () => conversations,
    'language.open': ({ id }) => (id === 'c' ? conversation : fakeConversation({ id, messages: [] })),
    'language.create': ({ model }) => fakeConversation({ id: 'new', model, title: 'New', messages: [] }),
    'language.configure': ({ settings }) => ({ ...conversation, settings }),
    'language.stop': () => ({}),
  });
  await act(async () => {
    render(
      <SessionContext value={bench.session}>
        <LanguageView />
      </SessionContext>,
    );
    bench.setStatus({ state: 'ok' });
    await vi.waitFor(() => expect(bench.session.language.getState().conversations).toBeDefined());
  });
  if (conversations.length > 0)
    await vi.waitFor(() => expect(bench.session.language.getState().open).toBeDefined());
  await act(async () => Promise.resolve());
  return bench;
}

export function running(pieces: Message['pieces'] = []): Conversation {
  const { messages } = fakeConversation({ id: 'c' });
  const question = fakeQuestion('q2', 'And then?');
  return fakeConversation({
    id: 'c',
    messages: [...messages, question, fakeReply({ id: 'r2', state: 'running', pieces })],
  });
}

export const goOn = (bench: TestSession, part: Partial<LanguageProgress>): Promise<void> =>
  act(async () =>
    bench.engine.emit('languageProgress', fakeProgress({ conversationId: 'c', messageId: 'r2', ...part })),
  );
export const messages = (): HTMLElement[] => screen.getAllByTestId('message');
export const requests = (bench: TestSession, name: string) =>
  bench.engine.received.filter(({ request }) => request === name);
export const field = (): HTMLTextAreaElement => screen.getByLabelText('Message');
export const write = (text: string): void =>
  act(() => void fireEvent.change(field(), { target: { value: text } }));
