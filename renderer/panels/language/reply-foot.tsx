import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import type { ReplyStats } from '../../../core/contract';
import { formatCount, formatFixed, formatMs, formatPct } from '../../format';
import { useSession } from '../../session';
import type { ChatMessage } from '../../stores';
import { strings } from '../../strings';
import { Button, FailureNote } from '../../ui';
import { retryReply } from './language-actions';
import styles from './message.module.css';

const STRINGS = strings.language;

const WORDS = STRINGS.reply;

/** Drafts per reply in figures with their units, one group each. */
function statsParts(stats: ReplyStats, ended: string | undefined): readonly string[] {
  const words = WORDS.stats;
  const drafted = stats.rounds > 0 && stats.draftLength > 0;
  return [
    `${formatFixed(stats.tokensPerSec, 1)} ${words.rate}`,
    `${formatCount(stats.generatedTokens)} ${words.tokens}`,
    ...(drafted
      ? [
          `${formatPct(stats.acceptance * 100)} ${words.accepted}`,
          `${formatCount(stats.rounds)} ${words.rounds}`,
          `${words.draft} ${formatCount(stats.draftLength)}`,
        ]
      : []),
    words.reused(formatCount(stats.reusedTokens), formatCount(stats.promptTokens)),
    `${words.prefill} ${formatMs(stats.prefillMs)}`,
    ...(ended === undefined ? [] : [ended]),
  ];
}

interface StatsProps {
  readonly message: ChatMessage;
  readonly stats: ReplyStats;
}

/** A reply in figures. Pressing it shows the reply's rounds. */
function StatsLine({ message, stats }: StatsProps): ReactNode {
  const { language } = useSession();
  const isShown = useStore(language, (state) => state.shownReply === message.id);
  // That it ended by itself goes without saying.
  const { finishReason = 'end' } = message;
  const ended = finishReason === 'end' ? undefined : WORDS.ends[finishReason];
  const { showReply } = language.getState().actions;
  return (
    <button
      type="button"
      className={styles['stats']}
      data-testid="reply-stats"
      aria-pressed={isShown}
      data-help="language.replies"
      onClick={() => showReply(isShown ? undefined : message.id)}
    >
      {statsParts(stats, ended).map((part) => (
        <span key={part}>{part}</span>
      ))}
    </button>
  );
}

interface FootProps {
  readonly message: ChatMessage;
  readonly conversationId: string;
  readonly isLast: boolean;
}

/** Below a reply: how it ended, its figures, and the ways on. */
export function ReplyFoot({ message, conversationId, isLast }: FootProps): ReactNode {
  const session = useSession();
  const live = useStore(session.engine, (state) => state.status.state === 'ok');
  const { state, error, stats } = message;
  const isBroken = state === 'failed' || state === 'cancelled';
  const retry = isLast && (
    <Button variant="ghost" disabled={!live} onClick={() => void retryReply(session, conversationId)}>
      {isBroken ? WORDS.goOn : WORDS.retry}
    </Button>
  );
  const hasText = message.text.sections.length > 0;
  return (
    <>
      {state === 'failed' && (
        <FailureNote
          title={hasText ? STRINGS.faults.reply : STRINGS.faults.noReply}
          error={error ?? { code: 'internal', message: WORDS.noText, details: {} }}
          actions={retry}
        />
      )}
      {state === 'cancelled' && !hasText && <p className={styles['note']}>{WORDS.cancelled}</p>}
      {state === 'done' && !hasText && <p className={styles['note']}>{WORDS.noText}</p>}
      <div className={styles['foot']}>
        {stats !== undefined && <StatsLine message={message} stats={stats} />}
        {state !== 'failed' && retry}
      </div>
    </>
  );
}
