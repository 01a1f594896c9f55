import { beforeEach, describe, expect, it } from 'vitest';

import {
  fakeConversation,
  fakePiece,
  fakeProgress,
  fakeQuestion,
  fakeReply,
  fakeRounds,
  fakeStats,
  fakeSummary,
} from '../test-support/fake-language';
import { createLanguageStore } from './language-store';
import type { LanguageStore } from './language-store';
import { plainText } from './reply-text';

const LOST = { code: 'engine-down', message: 'it fell over', details: {} } as const;
const RUNNING = fakeReply({ id: 'r2', state: 'running', pieces: [] });

let nowMs = 0;
let store: LanguageStore;

/** A store with conversation `c` in view and its reply `r2` under way. */
beforeEach(() => {
  nowMs = 0;
  store = createLanguageStore(() => nowMs);
  const { choose, setOpen, addExchange } = store.getState().actions;
  choose('c');
  setOpen(fakeConversation({ id: 'c' }));
  addExchange('c', fakeQuestion('q2', 'And then?'), RUNNING);
});

const last = () => store.getState().open?.messages.at(-1);
const progress = (part: Partial<Parameters<typeof fakeProgress>[0]> = {}): boolean =>
  store.getState().actions.progress(fakeProgress({ conversationId: 'c', messageId: 'r2', ...part }));

describe('conversations', () => {
  it('are listed latest first, and the one in view follows its summary', () => {
    const { setConversations } = store.getState().actions;
    setConversations([
      fakeSummary({ id: 'c', updatedAt: '2026-05-01T10:00:00Z', title: 'renamed' }),
      fakeSummary({ id: 'd', updatedAt: '2026-05-02T10:00:00Z' }),
    ]);
    expect(store.getState().conversations?.map(({ id }) => id)).toEqual(['d', 'c']);
    expect(store.getState().open?.summary.title).toBe('renamed');
    setConversations([]);
    expect(store.getState()).toMatchObject({ chosen: undefined, open: undefined });
  });

  it('come into view only if they are the chosen one', () => {
    const { choose, setOpen, failOpen } = store.getState().actions;
    choose('d');
    expect(store.getState().open).toBeUndefined();
    setOpen(fakeConversation({ id: 'c' }));
    failOpen('c', LOST);
    expect(store.getState()).toMatchObject({ open: undefined, openError: undefined });
    failOpen('d', LOST);
    expect(store.getState().openError).toEqual(LOST);
  });
});

describe('a reply under way', () => {
  it('goes on in order, piece by piece and round by round; other messages stay the same objects', () => {
    const before = store.getState().open?.messages ?? [];
    progress({ pieces: [fakePiece('One')], rounds: fakeRounds(1) });
    progress({ pieces: [fakePiece(' two', 'bonus')], rounds: fakeRounds(2, 1) });
    expect(plainText(last()!.text)).toBe('One two');
    expect(last()?.rounds?.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(last()?.text.tokens).toMatchObject({ accepted: 1, bonus: 1 });
    before.slice(0, -1).forEach((message, index) => {
      expect(store.getState().open?.messages[index]).toBe(message);
    });
    expect(store.getState().running['c']?.phase).toEqual({ kind: 'generating' });
  });

  it('ends as the engine says; text that is drawn already stays the same object', () => {
    progress({ pieces: [fakePiece('One'), fakePiece(' two')] });
    const drawn = last()?.text;
    const whole = fakePiece('One two');
    store.getState().actions.settle('c', { ...RUNNING, state: 'done', pieces: [whole], finishReason: 'end' });
    expect(last()).toMatchObject({ state: 'done', finishReason: 'end' });
    expect(last()?.text).toBe(drawn);
    expect(store.getState().running).toEqual({});
  });

  it('takes the engine’s text where it knows better', () => {
    progress({ pieces: [fakePiece('One')] });
    store.getState().actions.settle('c', { ...RUNNING, state: 'done', pieces: [fakePiece('One two')] });
    expect(plainText(last()!.text)).toBe('One two');
  });

  it('tells of messages it was never told of', () => {
    expect(progress()).toBe(true);
    expect(progress({ messageId: 'r9' })).toBe(false);
    expect(store.getState().actions.settle('c', fakeReply({ id: 'r9' }))).toBe(false);
    expect(progress({ conversationId: 'elsewhere', messageId: 'x' })).toBe(true);
    expect(store.getState().running['elsewhere']).toBeDefined();
  });

  it('measures how fast its prompt is read', () => {
    const prefill = (doneTokens: number): void =>
      void progress({ phase: { kind: 'prefill', doneTokens, totalTokens: 1000 } });
    prefill(0);
    expect(store.getState().running['c']?.tokensPerSec).toBeUndefined();
    nowMs = 1000;
    prefill(200);
    expect(store.getState().running['c']).toMatchObject({ tokensPerSec: 200, etaSec: 4 });
  });

  it('fails with its engine and keeps what it said', () => {
    progress({ pieces: [fakePiece('One')] });
    store.getState().actions.failRunning(LOST);
    expect(last()).toMatchObject({ state: 'failed', error: LOST });
    expect(plainText(last()!.text)).toBe('One');
    expect(store.getState().running).toEqual({});
  });

  it('asked again, stands where the last one stood', () => {
    const { settle, replaceReply } = store.getState().actions;
    settle('c', { ...RUNNING, state: 'cancelled' });
    replaceReply('c', fakeReply({ id: 'r3', state: 'running', stats: fakeStats() }));
    expect(store.getState().open?.messages.map(({ id }) => id)).toEqual(['q1', 'r1', 'q2', 'r3']);
  });
});
