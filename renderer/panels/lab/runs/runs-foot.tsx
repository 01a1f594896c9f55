import { useEffect, useRef } from 'react';
import type { ReactNode } from 'react';

import type { LabRunRow } from '../../../../core/contract';
import { formatCount } from '../../../format';
import { strings } from '../../../strings';
import { Button } from '../../../ui';
import styles from './runs-view.module.css';

const STRINGS = strings.lab.runs;

const MOST_NAMED = 3;

export type Asking = { readonly kind: 'stop' | 'remove'; readonly rows: readonly LabRunRow[] };

interface RunsFootProps {
  readonly shown: number;
  readonly all: number;
  readonly chosen: readonly LabRunRow[];
  readonly asking: Asking | undefined;
  readonly disabled: boolean;
  readonly onAsk: (kind: Asking['kind']) => void;
  readonly onAnswer: (isYes: boolean) => void;
  readonly onCompare: () => void;
  readonly onClear: () => void;
}

/** Names what goes, and asks where the answer changes it. */
function Question({ asking, onAnswer }: Pick<RunsFootProps, 'onAnswer'> & { asking: Asking }): ReactNode {
  const keep = useRef<HTMLButtonElement>(null);
  const yes = useRef<HTMLButtonElement>(null);
  const isStop = asking.kind === 'stop';
  useEffect(() => (isStop ? yes : keep).current?.focus(), [isStop]);
  const names = STRINGS.some(
    asking.rows.map(({ name }) => name),
    MOST_NAMED,
  );
  return (
    <div
      role="group"
      aria-label={isStop ? STRINGS.stopNow : STRINGS.removeNow}
      className={styles['question']}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        event.stopPropagation();
        onAnswer(false);
      }}
    >
      <p>{isStop ? STRINGS.askStop(names) : STRINGS.askRemove(names)}</p>
      <Button ref={yes} variant="danger" onClick={() => onAnswer(true)}>
        {isStop ? STRINGS.stopNow : STRINGS.removeNow}
      </Button>
      <Button ref={keep} onClick={() => onAnswer(false)}>
        {STRINGS.keep}
      </Button>
    </div>
  );
}

/** How many there are, what is done with those that are chosen, and otherwise the keys. */
export function RunsFoot(props: RunsFootProps): ReactNode {
  const { shown, all, chosen } = props;
  if (props.asking !== undefined)
    return (
      <footer className={styles['foot']} data-asking>
        <Question asking={props.asking} onAnswer={props.onAnswer} />
      </footer>
    );
  const amount = STRINGS.runs(all, formatCount(all));
  return (
    <footer className={styles['foot']}>
      <p role="status" data-testid="run-count">
        {shown === all ? amount : STRINGS.of(formatCount(shown), formatCount(all))}
        {chosen.length > 0 && `, ${STRINGS.chosen(formatCount(chosen.length))}`}
      </p>
      {chosen.length > 0 ? (
        <div className={styles['actions']}>
          <Button variant="ghost" disabled={props.disabled || chosen.length < 2} onClick={props.onCompare}>
            {STRINGS.compare}
          </Button>
          <Button variant="ghost" disabled={props.disabled} onClick={() => props.onAsk('stop')}>
            {STRINGS.stop}
          </Button>
          <Button variant="ghost" disabled={props.disabled} onClick={() => props.onAsk('remove')}>
            {STRINGS.remove}
          </Button>
          <Button variant="ghost" onClick={props.onClear}>
            {STRINGS.clear}
          </Button>
        </div>
      ) : (
        <ul className={styles['keys']}>
          {STRINGS.keys.map(([key, what]) => (
            <li key={key}>
              <kbd>{key}</kbd>
              {what}
            </li>
          ))}
        </ul>
      )}
    </footer>
  );
}
