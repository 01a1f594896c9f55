import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import { formatCount } from '../../format';
import { useSession } from '../../session';
import type { OpenConversation } from '../../stores';
import { strings } from '../../strings';
import styles from './chat.module.css';
import { Composer } from './composer';
import { MessageLog } from './message-log';
import { OriginLegend } from './origin-legend';
import { RoundsStrip } from './rounds-strip';
import { shownReply } from './shown-reply';
import { useSwitch } from './use-switch';
import { useSampled } from './use-sampled';

const STRINGS = strings.language;

const WORDS = STRINGS.chat;
const LEGEND_EVERY_MS = 500;

interface SwitchButtonProps {
  readonly label: string;
  readonly hint: string;
  readonly isOn: boolean;
  readonly onToggle: () => void;
}

/** A button that stays down. */
function SwitchButton({ label, hint, isOn, onToggle }: SwitchButtonProps): ReactNode {
  return (
    <button type="button" className={styles['switch']} aria-pressed={isOn} title={hint} onClick={onToggle}>
      {label}
    </button>
  );
}

function Legend(): ReactNode {
  const { language } = useSession();
  const tokens = useSampled(language, (state) => shownReply(state)?.text.tokens, LEGEND_EVERY_MS);
  return <OriginLegend tokens={tokens} />;
}

function Head({ open }: { readonly open: OpenConversation }): ReactNode {
  const { language } = useSession();
  const { title, model, tokens } = open.summary;
  const limit = useStore(
    language,
    (state) => state.models?.find(({ name }) => name === model)?.contextLength,
  );
  const origins = useSwitch('language.origins', true);
  const rounds = useSwitch('language.rounds', true);
  const side = useSwitch('language.side', true);
  return (
    <header className={styles['head']}>
      <h2 title={title}>{title}</h2>
      <code title={model}>{model}</code>
      {limit !== undefined && (
        <span className={styles['context']} title={WORDS.contextHint}>
          {WORDS.context(formatCount(Math.max(tokens, open.map?.tokens ?? 0)), formatCount(limit))}
        </span>
      )}
      <span className={styles['switches']}>
        <SwitchButton label={WORDS.origins} hint={WORDS.originsHint} {...origins} />
        <SwitchButton label={STRINGS.rounds.title} hint={STRINGS.rounds.showHint} {...rounds} />
        <SwitchButton label={WORDS.side} hint={WORDS.sideHint} {...side} />
      </span>
    </header>
  );
}

/** The conversation in view: what was said, how it is made, and where to go on. */
export function Chat({ open }: { readonly open: OpenConversation }): ReactNode {
  const { isOn: hasOrigins } = useSwitch('language.origins', true);
  const { isOn: hasRounds } = useSwitch('language.rounds', true);
  const { id, model } = open.summary;
  return (
    <section
      className={styles['chat']}
      aria-label={WORDS.region}
      data-testid="conversation"
      data-conversation={id}
      data-origins={hasOrigins}
    >
      <Head open={open} />
      {hasRounds && <RoundsStrip mode={open.settings.mode} />}
      {hasOrigins && <Legend />}
      <MessageLog key={id} open={open} />
      <Composer conversationId={id} model={model} isRunning={open.messages.at(-1)?.state === 'running'} />
    </section>
  );
}
