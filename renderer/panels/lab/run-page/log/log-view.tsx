import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { KeyboardEvent, ReactNode } from 'react';

import { formatBytes, formatCount } from '../../../../format';
import { strings } from '../../../../strings';
import { Button, FailureNote } from '../../../../ui';
import { useWindow } from '../../runs/use-window';
import { logSpans, plainLine } from './ansi';
import { linesWith } from './log-text';
import styles from './log-view.module.css';
import { useLog } from './use-log';

const STRINGS = strings.lab.runPage;

const WORDS = STRINGS.log;
const LINE_PX = 17;
/** So near to the end still counts as at the end. */
const NEAR_PX = 4;

interface LogViewProps {
  /** Id of the run. */
  readonly run: string;
  readonly name: string;
  readonly attempt: number;
  /** Stands before the bar's own. */
  readonly lead: ReactNode;
}

function Line({ text, top, isFound }: { text: string; top: number; isFound: boolean }): ReactNode {
  return (
    <div className={styles['text']} style={{ transform: `translateY(${top}px)` }} data-found={isFound}>
      {logSpans(text).map((span, index) => (
        <span key={index} data-colour={span.colour} data-bold={span.isBold}>
          {span.text}
        </span>
      ))}
    </div>
  );
}

/** Which lines hold the text, and which of them is looked at. */
function useFind(lines: readonly string[], goTo: (line: number) => void) {
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const plain = useMemo(() => (text === '' ? [] : lines.map(plainLine)), [lines, text]);
  const found = useMemo(() => linesWith(plain, text), [plain, text]);
  const current = Math.min(at, Math.max(0, found.length - 1));
  const go = (by: number): void => {
    if (found.length === 0) return;
    const next = (current + by + found.length) % found.length;
    setAt(next);
    goTo(found[next] ?? 0);
  };
  const change = (next: string): void => {
    setText(next);
    setAt(0);
  };
  return { text, change, found, current, line: found[current], go };
}

/** A run's log: its end follows while it is in view. */
export function LogView({ run, name, attempt, lead }: LogViewProps): ReactNode {
  const followed = useLog(run, attempt);
  const { log } = followed;
  const scroll = useRef<HTMLDivElement>(null);
  const [follows, setFollows] = useState(true);
  const { first, end } = useWindow(scroll, log.lines.length, LINE_PX);
  const find = useFind(log.lines, (line) => {
    setFollows(false);
    const element = scroll.current;
    if (element !== null) element.scrollTop = line * LINE_PX - element.clientHeight / 2;
  });
  useLayoutEffect(() => {
    const element = scroll.current;
    if (follows && element !== null) element.scrollTop = element.scrollHeight;
  }, [follows, log]);
  // Lines that were let go or put before must not move what is being read.
  const held = useRef({ dropped: 0, before: 0, lines: 0 });
  useEffect(() => {
    const element = scroll.current;
    const old = held.current;
    held.current = { dropped: log.dropped, before: followed.beforeBytes, lines: log.lines.length };
    if (follows || element === null) return;
    if (followed.beforeBytes < old.before) element.scrollTop += (log.lines.length - old.lines) * LINE_PX;
    else if (log.dropped > old.dropped) element.scrollTop -= (log.dropped - old.dropped) * LINE_PX;
  }, [log, follows, followed.beforeBytes]);
  const onScroll = (): void => {
    const element = scroll.current;
    if (element === null) return;
    const isAtEnd = element.scrollHeight - element.scrollTop - element.clientHeight <= NEAR_PX;
    // Growing moves the end away, scrolling up moves the view: the latter alone lets go.
    if (isAtEnd !== follows && (isAtEnd || element.scrollTop < lastTop.current)) setFollows(isAtEnd);
    lastTop.current = element.scrollTop;
  };
  const lastTop = useRef(0);
  const onFindKey = (event: KeyboardEvent): void => {
    if (event.key === 'Enter') find.go(event.shiftKey ? -1 : 1);
    else if (event.key === 'Escape' && find.text !== '') find.change('');
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <section
      className={styles['log']}
      aria-label={WORDS.title(name)}
      data-testid="run-log"
      data-end={followed.isEnd}
    >
      <header className={styles['bar']}>
        {lead}
        <input
          type="search"
          aria-label={WORDS.find}
          placeholder={WORDS.find}
          title={WORDS.findHint}
          spellCheck={false}
          value={find.text}
          onChange={(event) => find.change(event.currentTarget.value)}
          onKeyDown={onFindKey}
        />
        {find.text !== '' && (
          <span role="status">
            {find.found.length === 0
              ? WORDS.notFound
              : WORDS.found(find.current + 1, formatCount(find.found.length))}
          </span>
        )}
        <span className={styles['size']}>
          {followed.isEnd ? WORDS.ended(formatBytes(followed.bytes)) : formatBytes(followed.bytes)}
        </span>
        {followed.beforeBytes > 0 && (
          <Button variant="ghost" onClick={followed.readEarlier}>
            {WORDS.earlier(formatBytes(followed.beforeBytes))}
          </Button>
        )}
        {!followed.isEnd && (
          <Button
            variant="ghost"
            aria-pressed={follows}
            title={WORDS.followHint}
            onClick={() => setFollows(!follows)}
          >
            {WORDS.follow}
          </Button>
        )}
      </header>
      {followed.error !== undefined && (
        <FailureNote
          title={WORDS.failed}
          error={followed.error}
          actions={
            <Button variant="ghost" onClick={followed.again}>
              {WORDS.again}
            </Button>
          }
        />
      )}
      {log.dropped > 0 && <p className={styles['note']}>{WORDS.dropped(formatCount(log.dropped))}</p>}
      <div
        ref={scroll}
        role="log"
        aria-live="off"
        aria-label={WORDS.title(name)}
        tabIndex={0}
        className={styles['scroll']}
        onScroll={onScroll}
      >
        {followed.isRead && log.lines.length === 0 && followed.error === undefined && (
          <p className={styles['note']}>{WORDS.empty}</p>
        )}
        <div className={styles['lines']} style={{ height: log.lines.length * LINE_PX }}>
          {log.lines.slice(first, end).map((text, offset) => (
            <Line
              key={log.dropped + first + offset}
              text={text}
              top={(first + offset) * LINE_PX}
              isFound={first + offset === find.line}
            />
          ))}
        </div>
      </div>
    </section>
  );
}
