import { memo } from 'react';
import type { ReactNode } from 'react';

import type { ChatMessage } from '../../stores';
import { strings } from '../../strings';
import styles from './message.module.css';
import { ReplyFoot } from './reply-foot';
import { ReplyProgress } from './reply-progress';
import { ReplyTextView } from './reply-text-view';

const STRINGS = strings.language;

interface MessageViewProps {
  readonly message: ChatMessage;
  readonly conversationId: string;
  /** Only the last reply can be asked for again. */
  readonly isLast: boolean;
}

/** One message. Drawn again only when it changed. */
export const MessageView = memo(function MessageView(props: MessageViewProps): ReactNode {
  const { message, conversationId, isLast } = props;
  const { role, state, text } = message;
  const isRunning = state === 'running';
  return (
    <article
      className={styles['message']}
      data-testid="message"
      data-role={role}
      data-state={state}
      data-message={message.id}
      aria-label={STRINGS.chat.roles[role]}
      aria-busy={isRunning}
    >
      <span className={styles['role']} aria-hidden="true">
        {STRINGS.chat.roles[role]}
      </span>
      <div className={styles['body']}>
        <ReplyTextView text={text} />
        {isRunning && <ReplyProgress conversationId={conversationId} hasText={text.sections.length > 0} />}
        {role === 'assistant' && !isRunning && (
          <ReplyFoot message={message} conversationId={conversationId} isLast={isLast} />
        )}
      </div>
    </article>
  );
});
