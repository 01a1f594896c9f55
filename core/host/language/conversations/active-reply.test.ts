import { describe, expect, it } from 'vitest';

import type { LanguageProgress, Message } from '../../../contract';
import { EventBus } from '../../event-bus';
import { FakeClock } from '../../test-support/fake-clock';
import { ActiveReply } from './active-reply';

const MESSAGE: Message = { id: 'm', role: 'assistant', pieces: [], state: 'running', at: '' };
const ROUND = {
  index: 0,
  startMs: 0,
  draftMs: 1,
  swapMs: 1,
  verifyMs: 1,
  drafted: 8,
  proposed: 0,
  accepted: 6,
  readBytes: 1,
};

function setUp(): { reply: ActiveReply; clock: FakeClock; told: LanguageProgress[] } {
  const bus = new EventBus();
  const clock = new FakeClock();
  const told: LanguageProgress[] = [];
  bus.subscribe(({ payload }) => told.push(payload as LanguageProgress));
  const parts = { conversationId: 'c', message: MESSAGE, written: [], bus, clock, onTold: () => undefined };
  return { reply: new ActiveReply(parts), clock, told };
}

describe('the events of a reply', () => {
  it('come at most 20 a second, in order, and leave nothing out', async () => {
    const { reply, clock, told } = setUp();
    const startMs = clock.nowMs();
    const letters = Array.from({ length: 1000 }, (_, index) => String.fromCharCode(97 + (index % 26)));
    reply.loading();
    for (const [index, text] of letters.entries()) {
      // As verification gives them out: runs of accepted tokens with a corrected one between.
      const origin = index % 7 === 6 ? 'corrected' : 'accepted';
      reply.onPiece({ text, tokens: [{ token: index, origin }] });
      if (index % 7 === 6) reply.onRound(ROUND);
      await clock.advance(1);
    }
    reply.ended();
    reply.ended();
    const seconds = (clock.nowMs() - startMs) / 1000;
    expect(told.length).toBeLessThanOrEqual(20 * seconds + 2);
    expect(told.length).toBeGreaterThan(15 * seconds);
    const pieces = told.flatMap((event) => event.pieces);
    expect(pieces.map(({ text }) => text).join('')).toBe(letters.join(''));
    expect(pieces.reduce((sum, { tokens }) => sum + tokens, 0)).toBe(1000);
    expect(told.flatMap(({ rounds }) => rounds).map(({ index }) => index)).toEqual(
      Array.from({ length: 142 }, (_, index) => index),
    );
    expect(told.at(-1)!.stats).toMatchObject({ acceptance: 0.75, rounds: 142, draftLength: 8 });
    const { pieces: shown } = reply.message();
    expect(shown.slice(0, 3).map(({ text, tokens, origin }) => [text, tokens, origin])).toEqual([
      ['abcdef', 6, 'accepted'],
      ['g', 1, 'corrected'],
      ['hijklm', 6, 'accepted'],
    ]);
    expect(shown.map(({ text }) => text).join('')).toBe(letters.join(''));
  });

  it('what has not been told is not shown', () => {
    const { reply } = setUp();
    reply.loading();
    reply.onPiece({ text: 'a', tokens: [{ token: 97, origin: 'full' }] });
    expect(reply.message().pieces).toEqual([]);
    reply.ended();
    expect(reply.message().pieces).toEqual([{ text: 'a', tokens: 1, origin: 'full' }]);
  });
});
