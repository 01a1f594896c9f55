import { describe, expect, it, vi } from 'vitest';

import type { Conversation } from '../../core/contract';
import { SluiceError } from '../../core/contract';
import { plainText } from '../stores';
import {
  FAKE_LANGUAGE_MODEL,
  fakeConversation,
  fakePiece,
  fakeProgress,
  fakeQuestion,
  fakeReply,
  fakeSummary,
} from '../test-support/fake-language';
import { createTestSession } from '../test-support/test-session';
import type { TestSession } from '../test-support/test-session';
import { openConversation } from './language';

const UNDER_WAY = fakeConversation({
  id: 'c',
  messages: [fakeQuestion('q1', 'Why?'), fakeReply({ id: 'r1', state: 'running', pieces: [] })],
});

async function opened(kind: 'electron' | 'browser', conversation: Conversation): Promise<TestSession> {
  const bench = createTestSession({ kind });
  bench.engine.script({
    'language.models': () => [FAKE_LANGUAGE_MODEL],
    'language.conversations': () => [fakeSummary({ id: 'c' })],
    'language.open': () => conversation,
  });
  bench.setStatus({ state: 'ok' });
  await openConversation(bench.session, 'c');
  return bench;
}

describe('conversations in a session', () => {
  it('are asked of a fresh engine, then follow its events', async () => {
    const { session, engine } = await opened('electron', UNDER_WAY);
    const state = () => session.language.getState();
    await vi.waitFor(() => expect(state().models).toEqual([FAKE_LANGUAGE_MODEL]));
    await vi.waitFor(() => expect(state().compressors.length).toBeGreaterThan(1));
    engine.emit(
      'languageProgress',
      fakeProgress({ conversationId: 'c', messageId: 'r1', pieces: [fakePiece('Because')] }),
    );
    expect(plainText(state().open!.messages[1]!.text)).toBe('Because');
    engine.emit('message', { conversationId: 'c', message: fakeReply({ id: 'r1' }) });
    expect(state().open?.messages[1]?.state).toBe('done');
    engine.emit('languageModels', []);
    engine.emit('conversations', []);
    expect(state()).toMatchObject({ models: [], conversations: [], open: undefined });
  });

  it('are read again when another console went on with the one in view', async () => {
    const { engine, session } = await opened('browser', UNDER_WAY);
    const asked = () => engine.received.filter(({ request }) => request === 'language.open').length;
    const before = asked();
    engine.emit('languageProgress', fakeProgress({ conversationId: 'c', messageId: 'new' }));
    engine.emit('languageProgress', fakeProgress({ conversationId: 'c', messageId: 'new' }));
    await vi.waitFor(() => expect(session.language.getState().open?.messages).toHaveLength(2));
    expect(asked()).toBe(before + 1);
  });

  it('are read again from an engine that came back, and what went on is marked lost meanwhile', async () => {
    const bench = await opened('electron', UNDER_WAY);
    bench.setStatus({ state: 'restarting', reason: 'it fell over', restarts: 1 });
    const last = () => bench.session.language.getState().open?.messages.at(-1);
    expect(last()).toMatchObject({ state: 'failed', error: { code: 'engine-down' } });
    const done = fakeConversation({ id: 'c', messages: [fakeQuestion('q1', 'Why?')] });
    bench.engine.script({ 'language.open': () => done });
    bench.setStatus({ state: 'ok' });
    await vi.waitFor(() => expect(last()?.id).toBe('q1'));
  });

  it('stay as they are where a browser only lost its connection', async () => {
    const bench = await opened('browser', UNDER_WAY);
    bench.setStatus({ state: 'restarting', reason: 'the socket closed', restarts: 1 });
    expect(bench.session.language.getState().open?.messages.at(-1)?.state).toBe('running');
  });

  it('say why they did not come', async () => {
    const silenced = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const { session, engine, setStatus } = createTestSession({});
    const refuse = (): never => {
      throw new SluiceError('io', 'the folder can’t be read');
    };
    engine.script({ 'language.models': refuse, 'language.open': refuse });
    setStatus({ state: 'ok' });
    await vi.waitFor(() => expect(session.language.getState().loadError?.code).toBe('io'));
    await openConversation(session, 'c');
    expect(session.language.getState().openError?.code).toBe('io');
    silenced.mockRestore();
  });
});
