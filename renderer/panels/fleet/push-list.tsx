import { memo } from 'react';
import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import type { FleetPush, FleetPushBox } from '../../../core/contract';
import { formatBytesOf, formatCount, formatEta, formatRate } from '../../format';
import { useSession } from '../../session';
import type { ProgressRate, TrackedPush } from '../../stores';
import { strings } from '../../strings';
import { Button, ProgressBar } from '../../ui';
import { cancelPush, retryPush } from './fleet-actions';
import styles from './push-list.module.css';

const { fleet } = strings;

const WORDS = fleet.push;

interface LineProps {
  readonly entry: FleetPushBox;
  readonly rate: ProgressRate | undefined;
}

/** A box that had the model, or a copy of the example of its own, was sent nothing. */
function sentText({ state, sentBytes, totalBytes }: FleetPushBox): string {
  if (state === 'done' && sentBytes < totalBytes) return WORDS.hadIt;
  return totalBytes > 0 ? formatBytesOf(sentBytes, totalBytes) : '';
}

function fractionOf({ state, sentBytes, totalBytes }: FleetPushBox): number | undefined {
  if (state === 'done') return 1;
  if (state === 'importing') return undefined;
  return totalBytes > 0 ? sentBytes / totalBytes : 0;
}

/** One box of a push: how far, how fast, how long; or why not. */
const PushLine = memo(function PushLine({ entry, rate }: LineProps): ReactNode {
  const { fleet: store } = useSession();
  const name = useStore(store, ({ boxes }) => boxes?.get(entry.box)?.name ?? WORDS.gone);
  const isAway = useStore(store, ({ boxes }) => boxes?.get(entry.box)?.state !== 'online');
  const { state, error } = entry;
  const word = state === 'waiting' && isAway ? WORDS.waitingForBox : WORDS.states[state];
  const isSending = state === 'sending';
  return (
    <li className={styles['line']} data-testid="push-line" data-box={name} data-state={state}>
      <span title={name}>{name}</span>
      <span className={styles['state']}>{word}</span>
      {error === undefined ? (
        <>
          <ProgressBar label={`${name}: ${word}`} fraction={fractionOf(entry)} />
          <span className={styles['figure']} data-help="fleet.sent">
            {sentText(entry)}
          </span>
          <span className={styles['figure']} data-help="fleet.rate">
            {isSending && rate?.bytesPerSec !== undefined && formatRate(rate.bytesPerSec)}
          </span>
          <span className={styles['figure']}>
            {isSending && rate?.etaSec !== undefined && WORDS.left(formatEta(rate.etaSec))}
          </span>
        </>
      ) : (
        <span className={styles['why']} title={error.message}>
          {error.message}
        </span>
      )}
    </li>
  );
}, isSameLine);

/** Every event brings all boxes of a push anew. */
function isSameLine(a: LineProps, b: LineProps): boolean {
  return (
    a.entry.box === b.entry.box &&
    a.entry.state === b.entry.state &&
    a.entry.sentBytes === b.entry.sentBytes &&
    a.entry.totalBytes === b.entry.totalBytes &&
    a.entry.error?.message === b.entry.error?.message &&
    a.rate?.bytesPerSec === b.rate?.bytesPerSec
  );
}

function countOf({ boxes }: FleetPush, state: FleetPushBox['state']): number {
  return boxes.filter((entry) => entry.state === state).length;
}

function Push({ tracked }: { readonly tracked: TrackedPush }): ReactNode {
  const { home } = useSession();
  const live = useStore(home.engine, (state) => state.status.state === 'ok');
  const { push, rates } = tracked;
  const all = push.boxes.length;
  const [done, failed, cancelled] = [
    countOf(push, 'done'),
    countOf(push, 'failed'),
    countOf(push, 'cancelled'),
  ];
  const isGoing = done + failed + cancelled < all;
  const title = WORDS.title(push.model);
  return (
    <section className={styles['push']} aria-label={title} data-testid="push" data-going={isGoing}>
      <header>
        <h3>{title}</h3>
        <span>{WORDS.progress(formatCount(done), formatCount(all))}</span>
        {failed > 0 && <span data-failed>{WORDS.failedCount(formatCount(failed))}</span>}
        {cancelled > 0 && <span>{WORDS.cancelledCount(formatCount(cancelled))}</span>}
        <i />
        {failed + cancelled > 0 && (
          <Button variant="ghost" disabled={!live} onClick={() => void retryPush(home, push.id)}>
            {WORDS.retry}
          </Button>
        )}
        {isGoing ? (
          <Button variant="ghost" disabled={!live} onClick={() => void cancelPush(home, push.id)}>
            {WORDS.cancel}
          </Button>
        ) : (
          <Button variant="ghost" onClick={() => home.fleet.getState().actions.dismissPush(push.id)}>
            {WORDS.dismiss}
          </Button>
        )}
      </header>
      <ul>
        {push.boxes.map((entry) => (
          <PushLine key={entry.box} entry={entry} rate={rates.get(entry.box)} />
        ))}
      </ul>
    </section>
  );
}

/** Models on their way to boxes, the newest first. Empty when there are none. */
export function PushList(): ReactNode {
  const { fleet: store } = useSession();
  const pushes = useStore(store, (state) => state.pushes);
  if (pushes.length === 0) return null;
  return (
    // Longer than its place: the keyboard scrolls it.
    <div className={styles['list']} role="region" aria-label={WORDS.list} tabIndex={0}>
      {pushes.map((tracked) => (
        <Push key={tracked.push.id} tracked={tracked} />
      ))}
    </div>
  );
}
