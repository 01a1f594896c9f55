import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { ReactNode } from 'react';

import { useSession } from '../../session';
import type { OpenConversation } from '../../stores';
import { strings } from '../../strings';
import { Button } from '../../ui';
import styles from './chat.module.css';
import { MessageView } from './message-view';
import { useAnnouncement } from './use-announcement';

const STRINGS = strings.language;

const WORDS = STRINGS.chat;
/** This near the end counts as being there, CSS pixels. */
const NEAR_END_PX = 32;

function Announcement(): ReactNode {
  const { language } = useSession();
  const said = useAnnouncement(language);
  return (
    <p className={styles['announcement']} role="status" data-testid="announcement">
      {said}
    </p>
  );
}

/** The messages. Follows the end while it is in view; who scrolls away stays there. */
export function MessageLog({ open }: { readonly open: OpenConversation }): ReactNode {
  const { messages, summary } = open;
  const scroll = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const [isAtEnd, setIsAtEnd] = useState(true);
  const follows = useRef(true);
  const toEnd = (): void => {
    const element = scroll.current;
    if (element !== null) element.scrollTop = element.scrollHeight;
  };
  const lastQuestion = messages.filter(({ role }) => role === 'user').at(-1)?.id;
  // A new question is the user's own doing: what follows it is what they want to see.
  useLayoutEffect(() => {
    follows.current = true;
    toEnd();
  }, [summary.id, lastQuestion]);
  useLayoutEffect(() => {
    if (follows.current) toEnd();
  }, [messages]);
  useEffect(() => {
    const element = content.current;
    if (element === null) return;
    // Text out of view is measured as it comes into view; notes and figures unfold below replies.
    const resized = new ResizeObserver(() => {
      if (follows.current) toEnd();
    });
    resized.observe(element);
    return () => resized.disconnect();
  }, []);
  const onScroll = (): void => {
    const element = scroll.current;
    if (element === null) return;
    const left = element.scrollHeight - element.scrollTop - element.clientHeight;
    follows.current = left <= NEAR_END_PX;
    setIsAtEnd(follows.current);
  };
  return (
    <div className={styles['log-frame']}>
      <div
        ref={scroll}
        className={styles['log']}
        role="log"
        aria-live="off"
        aria-label={WORDS.log}
        tabIndex={0}
        data-testid="message-log"
        onScroll={onScroll}
      >
        <div ref={content} className={styles['log-content']}>
          {messages.length === 0 && <p className={styles['no-messages']}>{WORDS.noMessages}</p>}
          {messages.map((message, index) => (
            <MessageView
              key={message.id}
              message={message}
              conversationId={summary.id}
              isLast={index === messages.length - 1}
            />
          ))}
        </div>
      </div>
      {!isAtEnd && (
        <Button
          className={styles['newest']}
          onClick={() => {
            follows.current = true;
            toEnd();
          }}
        >
          {WORDS.newest}
        </Button>
      )}
      <Announcement />
    </div>
  );
}
