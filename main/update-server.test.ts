import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { updateServer } from './update-server';
import type { AskServer, NetSession } from './update-server';

type Listener = Parameters<NetSession['webRequest']['onBeforeRequest']>[0];

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

interface Bench {
  readonly ask: AskServer;
  /** Whether a request to the address is let through. */
  readonly isAsked: (url: string) => boolean;
  readonly onSilence: ReturnType<typeof vi.fn>;
}

function bench(url: string): Bench {
  let listener: Listener | undefined;
  const onSilence = vi.fn();
  const ask = updateServer({
    session: { webRequest: { onBeforeRequest: (given) => (listener = given) } },
    onSilence,
    url,
    silenceMs: 1000,
    schedule: (run, delayMs) => {
      const timer = setTimeout(run, delayMs);
      return () => clearTimeout(timer);
    },
  });
  const isAsked = (asked: string): boolean => {
    const reply = vi.fn<(answer: { readonly cancel: boolean }) => void>();
    listener?.({ url: asked }, reply);
    return reply.mock.calls[0]?.[0].cancel === false;
  };
  return { ask, isAsked, onSilence };
}

describe('the server of updates', () => {
  it.each([
    ['https://updates.example/sluice/', 'https://updates.example/elsewhere/file', true],
    ['https://updates.example/sluice/', 'https://updates.example:443/sluice/file', true],
    ['https://updates.example/sluice/', 'http://updates.example/sluice/file', false],
    ['https://updates.example/sluice/', 'https://updates.example:444/sluice/file', false],
    ['https://updates.example/sluice/', 'https://updates.example.evil/sluice/file', false],
    ['http://127.0.0.1:8000/', 'http://127.0.0.1:8001/file', false],
  ])('%s: %s is asked: %s', (url, asked, isLet) => {
    expect(bench(url).isAsked(asked)).toBe(isLet);
  });

  it('is the reason when it sends on, for that attempt alone', async () => {
    const { ask, isAsked } = bench('https://updates.example/');
    const attempt = ask(async () => {
      isAsked('http://other.example/file');
      throw new Error('net::ERR_BLOCKED_BY_CLIENT');
    });
    await expect(attempt).rejects.toThrow('https://updates.example sends on to http://other.example');
    await expect(ask(async () => Promise.reject(new Error('full disk')))).rejects.toThrow(/^full disk$/);
  });

  it('is given up when it says nothing, and not while it says something', async () => {
    const { ask, onSilence } = bench('https://updates.example/');
    let tell = (): void => undefined;
    const failed = vi.fn<(reason: Error) => void>();
    ask((heard) => {
      tell = heard;
      return new Promise(() => undefined);
    }).catch(failed);
    for (let time = 0; time < 5; time++) {
      await vi.advanceTimersByTimeAsync(900);
      tell();
    }
    expect(failed).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1000);
    expect(failed.mock.calls[0]?.[0].message).toBe('https://updates.example said nothing for 1 s');
    expect(onSilence).toHaveBeenCalledOnce();
  });

  it('leaves no timer behind', async () => {
    const { ask } = bench('https://updates.example/');
    expect(await ask(async () => 7)).toBe(7);
    expect(vi.getTimerCount()).toBe(0);
  });
});
