import { useEffect, useState } from 'react';
import type { StoreApi } from 'zustand';

import { formatCount } from '../../format';
import { plainText } from '../../stores';
import type { LanguageState } from '../../stores';
import { strings } from '../../strings';

const STRINGS = strings.language;

/** Long enough for a screen reader to have said the last piece. */
const EVERY_MS = 6_000;

/** End of the last whole sentence or line of a text, as an index behind it; 0 when none is whole. */
export function sentenceEnd(text: string): number {
  const ends = [...text.matchAll(/[.!?:;…。！？](?=\s)|\n/gu)];
  const last = ends.at(-1);
  return last === undefined ? 0 : last.index + last[0].length;
}

/**
 * What a screen reader is told of the reply under way: whole sentences, every few seconds, and its end. Empty while
 * there is nothing new.
 */
export function useAnnouncement(language: StoreApi<LanguageState>): string {
  const [said, setSaid] = useState('');
  useEffect(() => {
    let messageId: string | undefined;
    let toldChars = 0;
    const tell = (): void => {
      const message = language.getState().open?.messages.at(-1);
      if (message?.role !== 'assistant') return;
      const isRunning = message.state === 'running';
      if (message.id !== messageId) {
        // What was over before anyone listened is read by going there.
        messageId = isRunning ? message.id : undefined;
        toldChars = 0;
      }
      if (messageId === undefined) return;
      const text = plainText(message.text).slice(toldChars);
      const end = isRunning ? sentenceEnd(text) : text.length;
      const fresh = text.slice(0, end).trim();
      toldChars += end;
      if (isRunning) {
        if (fresh !== '') setSaid(fresh);
        return;
      }
      messageId = undefined;
      const count = message.stats?.generatedTokens ?? 0;
      setSaid(`${fresh} ${STRINGS.reply.done(formatCount(count))}`.trim());
    };
    const timer = setInterval(tell, EVERY_MS);
    const stop = language.subscribe((now, before) => {
      const [is, was] = [now.open?.messages.at(-1), before.open?.messages.at(-1)];
      if (is?.id !== was?.id || (was?.state === 'running' && is?.state !== 'running')) tell();
    });
    return () => {
      clearInterval(timer);
      stop();
    };
  }, [language]);
  return said;
}
