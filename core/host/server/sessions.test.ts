import { describe, expect, it } from 'vitest';

import { FakeClock } from '../test-support/fake-clock';
import { AccessTokens, hashOf } from './access-tokens';
import { Sessions } from './sessions';

const TIMES = { idleMs: 60_000, totalMs: 600_000 };

function bench(): {
  readonly clock: FakeClock;
  readonly sessions: Sessions;
  readonly token: string;
  readonly replaceToken: () => void;
} {
  const clock = new FakeClock();
  let token = hashOf('first');
  const sessions = new Sessions(new AccessTokens([() => token]), TIMES, clock);
  return { clock, sessions, token, replaceToken: () => (token = hashOf('second')) };
}

describe('a session', () => {
  it('is found by its id, and by nothing else', () => {
    const { sessions, token } = bench();
    const id = sessions.start(token);
    expect(id).toMatch(/^[\w-]{43}$/);
    expect(sessions.find(id)?.token).toBe(token);
    expect(sessions.start(token)).not.toBe(id);
    for (const other of ['', token, `${id}x`, id.slice(1)]) expect(sessions.find(other)).toBeUndefined();
  });

  it('ends when nobody used it for a time', async () => {
    const { clock, sessions, token } = bench();
    const id = sessions.start(token);
    await clock.advance(TIMES.idleMs - 1);
    expect(sessions.find(id)).toBeDefined();
    await clock.advance(TIMES.idleMs - 1);
    expect(sessions.find(id)).toBeDefined();
    await clock.advance(TIMES.idleMs);
    expect(sessions.find(id)).toBeUndefined();
  });

  it('is in use while a socket is open, and ends all the same in the end', async () => {
    const { clock, sessions, token } = bench();
    const id = sessions.start(token);
    let ended = 0;
    sessions.find(id)?.hold('socket', 1, () => (ended += 1));
    await clock.advance(TIMES.totalMs - TIMES.idleMs);
    expect(sessions.find(id)).toBeDefined();
    await clock.advance(TIMES.idleMs);
    expect(ended).toBe(1);
    expect(sessions.find(id)).toBeUndefined();
  });

  it('is idle again from the moment its socket closes', async () => {
    const { clock, sessions, token } = bench();
    const id = sessions.start(token);
    const release = sessions.find(id)?.hold('socket', 1, () => undefined);
    await clock.advance(2 * TIMES.idleMs);
    release?.();
    await clock.advance(TIMES.idleMs / 2);
    expect(sessions.find(id)).toBeDefined();
    await clock.advance(TIMES.idleMs);
    expect(sessions.find(id)).toBeUndefined();
  });

  it('ends with its token, those of programs too', async () => {
    const { clock, sessions, token, replaceToken } = bench();
    const id = sessions.start(token);
    const ended: string[] = [];
    sessions.find(id)?.hold('socket', 1, () => ended.push('browser'));
    sessions.ofProgram(token).hold('socket', 1, () => ended.push('program'));
    replaceToken();
    expect(sessions.find(id)).toBeUndefined();
    await clock.advance(TIMES.idleMs);
    expect(ended).toEqual(['browser', 'program']);
  });

  it('ends by logging out, at once and alone', () => {
    const { sessions, token } = bench();
    const [mine, other] = [sessions.start(token), sessions.start(token)];
    sessions.end(sessions.find(mine)!);
    expect(sessions.find(mine)).toBeUndefined();
    expect(sessions.find(other)).toBeDefined();
  });

  it('holds only so many of a kind', () => {
    const { sessions, token } = bench();
    const session = sessions.find(sessions.start(token))!;
    const release = session.hold('upload', 1, () => undefined);
    session.hold('socket', 1, () => undefined);
    expect(() => session.hold('upload', 1, () => undefined)).toThrow(/1 uploads open/);
    release();
    expect(() => session.hold('upload', 1, () => undefined)).not.toThrow();
  });

  it('makes room for the 257th by ending the one unused for longest', () => {
    const { clock, sessions, token } = bench();
    const ids = Array.from({ length: 256 }, () => {
      clock.spend(1);
      return sessions.start(token);
    });
    clock.spend(1);
    sessions.find(ids[0]!);
    sessions.start(token);
    expect(sessions.find(ids[0]!)).toBeDefined();
    expect(sessions.find(ids[1]!)).toBeUndefined();
  });

  it('of a program does not expire', async () => {
    const { clock, sessions, token } = bench();
    const session = sessions.ofProgram(token);
    await clock.advance(2 * TIMES.totalMs);
    expect(sessions.ofProgram(token)).toBe(session);
  });
});
