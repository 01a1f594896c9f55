import { useLayoutEffect, useRef } from 'react';
import type { KeyboardEvent, ReactNode } from 'react';
import { useStore } from 'zustand';

import { useSession } from '../../session';
import { strings } from '../../strings';
import { Button, FailureNote } from '../../ui';
import styles from './composer.module.css';
import { sendDraft, stopReply } from './language-actions';

const STRINGS = strings.language;

const WORDS = STRINGS.composer;

/** Grows the field with its text; the style limits it. */
function fit(field: HTMLTextAreaElement): void {
  field.style.height = 'auto';
  field.style.height = `${field.scrollHeight + 2}px`;
}

interface ComposerProps {
  readonly conversationId: string;
  readonly model: string;
  readonly isRunning: boolean;
}

/** Where messages are written. Enter sends, Shift+Enter starts a line; while a reply is written it can be stopped. */
export function Composer({ conversationId, model, isRunning }: ComposerProps): ReactNode {
  const session = useSession();
  const { language } = session;
  const live = useStore(session.engine, (state) => state.status.state === 'ok');
  const text = useStore(language, (state) => state.drafts[conversationId] ?? '');
  const fault = useStore(language, (state) => state.faults.chat);
  const isGone = useStore(language, (state) => state.models?.some(({ name }) => name === model) === false);
  const field = useRef<HTMLTextAreaElement>(null);
  const { setDraft, setFault } = language.getState().actions;
  useLayoutEffect(() => {
    if (field.current !== null) fit(field.current);
  }, [text]);
  const canSend = live && !isRunning && !isGone && text.trim() !== '';
  const onKey = (event: KeyboardEvent): void => {
    // Enter that picks a word of an input method is not ours.
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    if (canSend) void sendDraft(session, conversationId);
  };
  const hint = isGone ? WORDS.gone(model) : live ? WORDS.hint : WORDS.down;
  return (
    <form
      className={styles['composer']}
      onSubmit={(event) => {
        event.preventDefault();
        if (canSend) void sendDraft(session, conversationId);
      }}
    >
      {fault !== undefined && (
        <FailureNote title={fault.title} error={fault.error} onDismiss={() => setFault('chat', undefined)} />
      )}
      <div className={styles['line']}>
        <textarea
          ref={field}
          rows={1}
          aria-label={WORDS.field}
          aria-describedby="language-composer-hint"
          placeholder={WORDS.placeholder}
          value={text}
          spellCheck={false}
          onChange={(event) => setDraft(conversationId, event.currentTarget.value)}
          onKeyDown={onKey}
        />
        {isRunning ? (
          <Button
            key="stop"
            variant="danger"
            disabled={!live}
            onClick={() => void stopReply(session, conversationId)}
          >
            {WORDS.stop}
          </Button>
        ) : (
          <Button key="send" type="submit" variant="primary" disabled={!canSend}>
            {WORDS.send}
          </Button>
        )}
      </div>
      <p id="language-composer-hint" className={styles['hint']} data-gone={isGone}>
        {hint}
      </p>
    </form>
  );
}
