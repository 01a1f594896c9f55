import { useEffect, useRef, useState } from 'react';
import type { ReactNode } from 'react';

import type { CacheMode, ReplyStats, RoundRecord } from '../../../core/contract';
import { formatBytes, formatCount, formatFixed, formatMs, formatPct, NO_FIGURE } from '../../format';
import { useSession } from '../../session';
import { strings } from '../../strings';
import { RoundChart } from '../../timeline-engine';
import type { TooltipLine } from '../../timeline-engine';
import styles from './rounds-strip.module.css';
import { shownReply } from './shown-reply';
import { useSampled } from './use-sampled';

const STRINGS = strings.language;

const WORDS = STRINGS.rounds;
/** Figures that change faster can't be read. */
const FIGURES_EVERY_MS = 250;

function roundLines(round: RoundRecord): readonly TooltipLine[] {
  const words = WORDS.round;
  return [
    { label: words.draft, value: formatMs(round.draftMs) },
    { label: words.swap, value: formatMs(round.swapMs) },
    { label: words.verify, value: formatMs(round.verifyMs) },
    { label: words.tokens, value: words.of(String(round.accepted), String(round.drafted)) },
    ...(round.proposed > 0 ? [{ label: words.proposed, value: String(round.proposed) }] : []),
    { label: words.read, value: formatBytes(round.readBytes) },
    { label: words.at, value: formatMs(round.startMs) },
  ];
}

function describe(round: RoundRecord): { readonly title: string; readonly lines: readonly TooltipLine[] } {
  return { title: WORDS.round.title(formatCount(round.index + 1)), lines: roundLines(round) };
}

/** A round in one line, for those who step through the rounds by ear. */
function roundText(round: RoundRecord): string {
  const { title, lines } = describe(round);
  return [title, ...lines.map(({ label, value }) => `${label} ${value}`)].join(', ');
}

/** Shares of the time of all rounds, 0 to 1. */
export function timeSplit(
  rounds: readonly RoundRecord[],
): Readonly<Record<'draft' | 'swap' | 'verify', number>> {
  const sum = (pick: (round: RoundRecord) => number): number =>
    rounds.reduce((total, round) => total + pick(round), 0);
  const [draft, swap, verify] = [
    sum(({ draftMs }) => draftMs),
    sum(({ swapMs }) => swapMs),
    sum(({ verifyMs }) => verifyMs),
  ] as const;
  const whole = draft + swap + verify;
  return { draft: draft / whole, swap: swap / whole, verify: verify / whole };
}

interface FigureProps {
  readonly label: string;
  readonly hint: string;
  readonly value: string;
  readonly testId?: string;
  /** How it is drawn in the picture below. */
  readonly mark?: 'draft' | 'swap' | 'verify' | 'line';
}

function Figure({ label, hint, value, testId, mark }: FigureProps): ReactNode {
  return (
    <div title={hint}>
      <dt data-mark={mark}>{label}</dt>
      <dd data-testid={testId}>{value}</dd>
    </div>
  );
}

interface FiguresProps {
  readonly stats: ReplyStats | undefined;
  readonly rounds: readonly RoundRecord[];
}

function Figures({ stats, rounds }: FiguresProps): ReactNode {
  const drafted = stats !== undefined && stats.rounds > 0 ? stats : undefined;
  const split = timeSplit(rounds);
  return (
    <dl className={styles['figures']}>
      <Figure
        label={WORDS.rate}
        hint={WORDS.rateHint}
        value={stats === undefined ? NO_FIGURE : formatFixed(stats.tokensPerSec, 1)}
        testId="language-rate"
      />
      <Figure
        label={WORDS.acceptance}
        hint={WORDS.acceptanceHint}
        value={formatPct((drafted?.acceptance ?? Number.NaN) * 100)}
        testId="language-acceptance"
        mark="line"
      />
      <Figure
        label={WORDS.draftLength}
        hint={WORDS.draftLengthHint}
        value={formatCount(drafted?.draftLength ?? Number.NaN)}
        testId="language-draft-length"
      />
      <Figure
        label={WORDS.count}
        hint={WORDS.countHint}
        value={formatCount(drafted?.rounds ?? Number.NaN)}
        testId="language-rounds"
      />
      {(['draft', 'swap', 'verify'] as const).map((kind) => (
        <Figure
          key={kind}
          mark={kind}
          label={WORDS.split[kind]}
          hint={WORDS.splitHint[kind]}
          value={formatPct(split[kind] * 100)}
          testId={`language-split-${kind}`}
        />
      ))}
    </dl>
  );
}

/** The canvas. Rounds go to it as they come, past React. */
function Chart(): ReactNode {
  const { language } = useSession();
  const host = useRef<HTMLDivElement>(null);
  const [said, setSaid] = useState('');
  useEffect(() => {
    if (host.current === null) return;
    const chart = new RoundChart(host.current, {
      lanes: WORDS.lanes,
      describe,
      onSelect: (round) => setSaid(round === undefined ? '' : roundText(round)),
    });
    chart.canvas.dataset['testid'] = 'rounds-canvas';
    // Keys belong to it while it has the focus, as in the Timeline.
    chart.canvas.setAttribute('role', 'application');
    let shown: readonly RoundRecord[] | undefined;
    const show = (): void => {
      const reply = shownReply(language.getState());
      const rounds = reply?.rounds ?? [];
      if (rounds === shown) return;
      shown = rounds;
      chart.setRounds(reply?.id, rounds, reply?.state === 'running');
      chart.canvas.setAttribute('aria-label', WORDS.canvas(formatCount(rounds.length)));
    };
    show();
    const stop = language.subscribe(show);
    return () => {
      stop();
      chart.destroy();
    };
  }, [language]);
  return (
    <>
      <div ref={host} className={styles['canvas']} />
      <p className={styles['said']} role="status">
        {said}
      </p>
    </>
  );
}

/** How the shown reply is made: its speed, what of its drafts was accepted, and every round on a time axis. */
export function RoundsStrip({ mode }: { readonly mode: CacheMode }): ReactNode {
  const { language } = useSession();
  const reply = useSampled(language, shownReply, FIGURES_EVERY_MS);
  const rounds = reply?.rounds ?? [];
  const isRunning = reply?.state === 'running';
  // Where rounds are to come their place is kept; where none will, they take none.
  const isTall = rounds.length > 0 || (isRunning && mode === 'vericache');
  return (
    <section className={styles['strip']} data-tall={isTall} aria-label={WORDS.title}>
      <Figures stats={reply?.stats} rounds={rounds} />
      {rounds.length === 0 ? (
        <p className={styles['none']}>{reply === undefined || isTall ? WORDS.none : WORDS.noDrafts}</p>
      ) : (
        <Chart />
      )}
    </section>
  );
}
