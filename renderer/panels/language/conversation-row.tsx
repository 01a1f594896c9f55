import { memo, useEffect, useRef, useState } from 'react';
import type { KeyboardEvent, ReactNode } from 'react';
import { useStore } from 'zustand';

import type { ConversationSummary } from '../../../core/contract';
import { formatBytes, formatCount } from '../../format';
import { openConversation, useSession } from '../../session';
import { strings } from '../../strings';
import { Button, CloseIcon, PencilIcon } from '../../ui';
import styles from './conversation-list.module.css';
import { deleteConversation, renameConversation } from './language-actions';
import { formatWhen } from './when';

const STRINGS = strings.language;

const WORDS = STRINGS.list;

interface RowProps {
  readonly summary: ConversationSummary;
  readonly isChosen: boolean;
  readonly isTabStop: boolean;
}

interface TitleFieldProps {
  readonly summary: ConversationSummary;
  readonly onDone: () => void;
}

/** The title as a field: Enter and leaving it take it, Escape leaves it as it was. */
function TitleField({ summary, onDone }: TitleFieldProps): ReactNode {
  const session = useSession();
  const [title, setTitle] = useState(summary.title);
  const field = useRef<HTMLInputElement>(null);
  const isOver = useRef(false);
  useEffect(() => field.current?.select(), []);
  const end = (isTaken: boolean): void => {
    if (isOver.current) return;
    isOver.current = true;
    onDone();
    const trimmed = title.trim();
    if (isTaken && trimmed !== '' && trimmed !== summary.title)
      void renameConversation(session, summary.id, trimmed);
  };
  return (
    <input
      ref={field}
      type="text"
      className={styles['title-field']}
      aria-label={WORDS.renameField}
      value={title}
      maxLength={200}
      autoFocus
      onChange={(event) => setTitle(event.currentTarget.value)}
      onBlur={() => end(true)}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === 'Enter') end(true);
        else if (event.key === 'Escape') end(false);
      }}
    />
  );
}

/** Asks in place before a conversation goes, and names what goes. */
function DeleteQuestion({ summary, onDone }: TitleFieldProps): ReactNode {
  const session = useSession();
  const live = useStore(session.engine, (state) => state.status.state === 'ok');
  return (
    <div
      className={styles['question']}
      role="group"
      aria-label={WORDS.delete(summary.title)}
      onKeyDown={(event) => {
        if (event.key === 'Escape') onDone();
      }}
    >
      <p>{WORDS.deleteAsk(formatCount(summary.tokens), formatBytes(summary.bytes))}</p>
      <Button
        variant="danger"
        disabled={!live}
        onClick={() => {
          onDone();
          void deleteConversation(session, summary.id);
        }}
      >
        {WORDS.deleteYes}
      </Button>
      <Button autoFocus onClick={onDone}>
        {WORDS.deleteNo}
      </Button>
    </div>
  );
}

function Meta({ summary }: { readonly summary: ConversationSummary }): ReactNode {
  const { language } = useSession();
  const isRunning = useStore(language, (state) => state.running[summary.id] !== undefined);
  return (
    <span className={styles['meta']}>
      <span className={styles['model']}>{summary.model}</span>
      <span className={styles['figure']}>
        {isRunning ? WORDS.running : WORDS.tokens(formatCount(summary.tokens))}
      </span>
      <span className={styles['figure']}>{formatBytes(summary.bytes)}</span>
    </span>
  );
}

/** Arrow keys move between the rows' buttons; F2 renames, Delete asks. */
function onKey(event: KeyboardEvent<HTMLElement>, rename: () => void, ask: () => void): void {
  const row = event.currentTarget.closest('li');
  const neighbour = { ArrowDown: row?.nextElementSibling, ArrowUp: row?.previousElementSibling }[event.key];
  if (neighbour !== undefined) {
    event.preventDefault();
    neighbour?.querySelector<HTMLElement>('[data-open]')?.focus();
  } else if (event.key === 'F2') rename();
  else if (event.key === 'Delete') ask();
}

/** One conversation: its title, its model, what it takes, and when it was last used. */
export const ConversationRow = memo(function ConversationRow(props: RowProps): ReactNode {
  const { summary, isChosen, isTabStop } = props;
  const session = useSession();
  const live = useStore(session.engine, (state) => state.status.state === 'ok');
  const [doing, setDoing] = useState<'renaming' | 'deleting'>();
  const row = useRef<HTMLLIElement>(null);
  const done = (): void => {
    setDoing(undefined);
    // The element that had the focus goes; the row's own takes it.
    requestAnimationFrame(() => row.current?.querySelector<HTMLElement>('[data-open]')?.focus());
  };
  const rename = (): void => setDoing('renaming');
  const ask = (): void => setDoing('deleting');
  return (
    <li
      ref={row}
      className={styles['row']}
      data-testid="conversation-row"
      data-conversation={summary.id}
      data-chosen={isChosen}
    >
      {doing === 'renaming' ? (
        <TitleField summary={summary} onDone={done} />
      ) : (
        <button
          type="button"
          className={styles['open']}
          data-open
          aria-current={isChosen ? 'true' : undefined}
          tabIndex={isTabStop ? 0 : -1}
          title={summary.title}
          onClick={() => void openConversation(session, summary.id)}
          onDoubleClick={rename}
          onKeyDown={(event) => onKey(event, rename, ask)}
        >
          <span className={styles['line']}>
            <span className={styles['title']}>{summary.title}</span>
            <time className={styles['when']} dateTime={summary.updatedAt}>
              {formatWhen(summary.updatedAt, new Date())}
            </time>
          </span>
          <Meta summary={summary} />
        </button>
      )}
      {doing === 'deleting' && <DeleteQuestion summary={summary} onDone={done} />}
      {doing === undefined && (
        <span className={styles['actions']}>
          <Button
            variant="ghost"
            aria-label={WORDS.rename(summary.title)}
            disabled={!live}
            tabIndex={isTabStop ? 0 : -1}
            onClick={rename}
          >
            <PencilIcon />
          </Button>
          <Button
            variant="ghost"
            aria-label={WORDS.delete(summary.title)}
            disabled={!live}
            tabIndex={isTabStop ? 0 : -1}
            onClick={ask}
          >
            <CloseIcon />
          </Button>
        </span>
      )}
    </li>
  );
});
