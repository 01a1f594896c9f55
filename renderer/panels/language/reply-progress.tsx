import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import type { StreamedWeights } from '../../../core/contract';
import { formatBytes, formatCount, formatEta, formatFixed } from '../../format';
import { useSession } from '../../session';
import { strings } from '../../strings';
import { ProgressBar } from '../../ui';
import styles from './message.module.css';

const STRINGS = strings.language;

const WORDS = STRINGS.reply;

function loadingText(streamed: StreamedWeights | undefined): string {
  if (!streamed) return WORDS.loading;
  return WORDS.loadingStreamed(formatBytes(streamed.weightBytes), formatBytes(streamed.budgetBytes));
}

interface ReplyProgressProps {
  readonly conversationId: string;
  readonly hasText: boolean;
}

/** What goes on before the first token: the model is loaded, the prompt is read. The composer's Stop ends it. */
export function ReplyProgress({ conversationId, hasText }: ReplyProgressProps): ReactNode {
  const { language } = useSession();
  const running = useStore(language, (state) => state.running[conversationId]);
  const phase = running?.phase;
  // Opened in the middle of a reply: what it does is told with its next piece.
  if (phase?.kind === 'generating' || (phase === undefined && hasText)) return null;
  if (phase?.kind !== 'prefill') {
    const text = phase === undefined ? WORDS.starting : loadingText(phase.streamedWeights);
    return (
      <div className={styles['progress']} data-testid="reply-phase" data-phase={phase?.kind ?? 'starting'}>
        <ProgressBar label={text} fraction={undefined} />
        <p>{text}</p>
      </div>
    );
  }
  const { doneTokens, totalTokens } = phase;
  const parts = [
    WORDS.prefill,
    WORDS.prefillOf(formatCount(doneTokens), formatCount(totalTokens)),
    ...(running?.tokensPerSec === undefined ? [] : [WORDS.rate(formatFixed(running.tokensPerSec, 0))]),
    ...(running?.etaSec === undefined ? [] : [WORDS.left(formatEta(running.etaSec))]),
  ];
  return (
    <div className={styles['progress']} data-testid="reply-phase" data-phase="prefill">
      <ProgressBar
        label={WORDS.prefill}
        fraction={totalTokens === 0 ? undefined : doneTokens / totalTokens}
      />
      <p>{parts.join(' · ')}</p>
    </div>
  );
}
