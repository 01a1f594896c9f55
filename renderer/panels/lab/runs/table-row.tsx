import { memo } from 'react';
import type { ReactNode } from 'react';

import type { LabRunRow, LabRunState } from '../../../../core/contract';
import { formatCount } from '../../../format';
import { strings } from '../../../strings';
import type { RunColumn } from './columns';
import type { RunGroup } from './group-runs';
import { cellTitle, RunCell } from './run-cell';
import styles from './run-table.module.css';

const STRINGS = strings.lab.runs;
const STATES = strings.lab.frame.states;

interface LineProps {
  readonly id: string;
  /** In the table, from 0. */
  readonly index: number;
  readonly topPx: number;
  readonly isActive: boolean;
}

interface RunLineProps extends LineProps {
  readonly row: LabRunRow;
  readonly columns: readonly RunColumn[];
  readonly isChosen: boolean;
  /** Below a group's head. */
  readonly isNested: boolean;
}

/** A run; drawn again only when something of it changed. */
export const RunLine = memo(function RunLine(props: RunLineProps): ReactNode {
  const { row, columns, index } = props;
  return (
    <div
      id={props.id}
      role="row"
      aria-rowindex={index + 2}
      aria-level={props.isNested ? 2 : undefined}
      aria-selected={props.isChosen}
      className={styles['row']}
      data-testid="run-row"
      data-index={index}
      data-run={row.name}
      data-state={row.state}
      data-active={props.isActive}
      style={{ transform: `translateY(${props.topPx}px)` }}
    >
      <span role="gridcell" className={styles['choice']} data-choice aria-label={STRINGS.choose(row.name)}>
        <i aria-hidden="true" />
      </span>
      {columns.map((column) => (
        <span
          key={column.key}
          role="gridcell"
          data-number={column.isNumber}
          data-mono={column.isMono}
          data-pinned={column.pinnedPx !== undefined}
          data-open={column.key === 'name' ? true : undefined}
          style={column.pinnedPx === undefined ? undefined : { left: column.pinnedPx }}
          title={cellTitle(row, column.key)}
        >
          <RunCell row={row} column={column} />
        </span>
      ))}
    </div>
  );
});

interface GroupLineProps extends LineProps {
  readonly group: RunGroup;
  /** What it is grouped by, as a label. */
  readonly by: string;
  readonly isOpen: boolean;
  readonly chosen: 'none' | 'some' | 'all';
  readonly columnCount: number;
}

const ORDER = Object.keys(STATES) as LabRunState[];

export function GroupLine(props: GroupLineProps): ReactNode {
  const { group, index } = props;
  const value = group.value ?? STRINGS.groupNone;
  return (
    <div
      id={props.id}
      role="row"
      aria-rowindex={index + 2}
      aria-level={1}
      aria-expanded={props.isOpen}
      aria-selected={props.chosen === 'all'}
      className={`${styles['row']} ${styles['group']}`}
      data-testid="run-group"
      data-group={value}
      data-index={index}
      data-active={props.isActive}
      data-some={props.chosen === 'some'}
      style={{ transform: `translateY(${props.topPx}px)` }}
    >
      <span role="gridcell" className={styles['choice']} data-choice aria-label={STRINGS.choose(value)}>
        <i aria-hidden="true" />
      </span>
      <span role="gridcell" aria-colspan={props.columnCount} className={styles['summary']} data-fold>
        <i aria-hidden="true">{props.isOpen ? '▾' : '▸'}</i>
        <em>{props.by}</em>
        <b>{value}</b>
        <span>{STRINGS.runs(group.rows.length, formatCount(group.rows.length))}</span>
        {ORDER.map((state) => {
          const amount = group.states.get(state);
          return (
            // In a group of one state its count is the group's.
            amount !== undefined &&
            group.states.size > 1 && (
              <span key={state} data-state={state}>
                {`${formatCount(amount)} ${STATES[state]}`}
              </span>
            )
          );
        })}
      </span>
    </div>
  );
}
