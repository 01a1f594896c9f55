import { useState } from 'react';
import type { KeyboardEvent, PointerEvent, ReactNode } from 'react';

import { strings } from '../../../strings';
import type { HelpId } from '../../../ui';
import type { RunColumn } from './columns';
import { LEAST_PX } from './columns';
import styles from './run-table.module.css';
import type { RunOrder } from './sort-runs';

const STRINGS = strings.lab.runs;

/** By how much a key changes a width. */
const WIDTH_STEP_PX = 16;

interface TableHeadProps {
  readonly columns: readonly RunColumn[];
  readonly order: RunOrder;
  readonly chosen: 'none' | 'some' | 'all';
  readonly onOrder: (order: RunOrder) => void;
  readonly onWidth: (key: string, widthPx: number) => void;
  readonly onChooseAll: () => void;
}

/** Heads sort by a click or Enter; one tab stop, arrows move along, Shift with arrows changes the width. */
export function TableHead(props: TableHeadProps): ReactNode {
  const [at, setAt] = useState(0);
  const stop = Math.min(at, props.columns.length - 1);
  const onKey = (event: KeyboardEvent<HTMLElement>, column: RunColumn, index: number): void => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.shiftKey) {
      props.onWidth(column.key, Math.max(LEAST_PX, column.widthPx + step * WIDTH_STEP_PX));
      return;
    }
    const next = Math.min(props.columns.length - 1, Math.max(0, index + step));
    setAt(next);
    event.currentTarget.closest('[role=row]')?.querySelectorAll('button')[next]?.focus();
  };
  return (
    <div role="row" aria-rowindex={1} className={styles['head']}>
      <span role="columnheader" className={styles['choice']}>
        <input
          type="checkbox"
          tabIndex={-1}
          aria-label={STRINGS.chooseAll}
          checked={props.chosen === 'all'}
          ref={(input) => {
            if (input !== null) input.indeterminate = props.chosen === 'some';
          }}
          onChange={props.onChooseAll}
        />
      </span>
      {props.columns.map((column, index) => (
        <Head
          key={column.key}
          column={column}
          order={props.order}
          isStop={index === stop}
          onOrder={props.onOrder}
          onWidth={props.onWidth}
          onKey={(event) => onKey(event, column, index)}
        />
      ))}
    </div>
  );
}

function helpOf({ key, isNumber }: RunColumn): HelpId | undefined {
  if (!isNumber) return undefined;
  if (key === 'created') return 'lab.changed';
  return key === 'duration' ? 'lab.duration' : 'lab.value';
}

interface HeadProps extends Pick<TableHeadProps, 'order' | 'onOrder' | 'onWidth'> {
  readonly column: RunColumn;
  readonly isStop: boolean;
  readonly onKey: (event: KeyboardEvent<HTMLElement>) => void;
}

function Head({ column, order, isStop, onOrder, onWidth, onKey }: HeadProps): ReactNode {
  const active = order.key === column.key ? order : undefined;
  const direction = active?.isDescending === true ? 'descending' : 'ascending';
  // On the side away from the figures, so that head and figures end on one line.
  const arrow = active && <i aria-hidden="true">{active.isDescending ? '↓' : '↑'}</i>;
  return (
    <span
      role="columnheader"
      aria-sort={active ? direction : 'none'}
      data-number={column.isNumber}
      data-pinned={column.pinnedPx !== undefined}
      style={{ left: column.pinnedPx }}
    >
      <button
        type="button"
        tabIndex={isStop ? 0 : -1}
        title={column.key}
        data-help={helpOf(column)}
        onClick={() => onOrder({ key: column.key, isDescending: active?.isDescending === false })}
        onKeyDown={onKey}
      >
        {column.isNumber && arrow}
        <b>{column.label}</b>
        {!column.isNumber && arrow}
      </button>
      <Grip column={column} onWidth={onWidth} />
    </span>
  );
}

/** Right edge of a head, by which it is drawn wider. */
function Grip({ column, onWidth }: Pick<HeadProps, 'column' | 'onWidth'>): ReactNode {
  const begin = (event: PointerEvent<HTMLElement>): void => {
    event.preventDefault();
    const grip = event.currentTarget;
    const fromPx = event.clientX;
    grip.setPointerCapture(event.pointerId);
    const move = (moved: globalThis.PointerEvent): void =>
      onWidth(column.key, Math.max(LEAST_PX, column.widthPx + moved.clientX - fromPx));
    const end = (): void => {
      grip.removeEventListener('pointermove', move);
      grip.removeEventListener('lostpointercapture', end);
    };
    grip.addEventListener('pointermove', move);
    grip.addEventListener('lostpointercapture', end);
  };
  return (
    <span
      className={styles['grip']}
      title={STRINGS.resize(column.label)}
      aria-hidden="true"
      onPointerDown={begin}
    />
  );
}
