import { memo } from 'react';
import type { ReactNode } from 'react';

import type { Belief, TierName, VariantRecord } from '../../../core/contract';
import { formatFigure } from '../../format';
import { strings } from '../../strings';
import styles from './choice-matrix.module.css';
import { cellState, cellText } from './matrix-model';

const STRINGS = strings.decisions;

interface MatrixRowProps {
  readonly user: number;
  readonly tier: TierName;
  readonly variants: readonly VariantRecord[];
  /** In the order of the variants; shorter while nothing is known. */
  readonly beliefs: readonly (Belief | undefined)[];
  readonly chosen: string | undefined;
  readonly pinned: string | undefined;
  /** Why nothing runs on this tier now. */
  readonly barredWhy: string | undefined;
  /** Cell that Tab stops at: `user tier variant`. */
  readonly tabStop: string;
  readonly onFocusCell: (cell: string) => void;
  readonly onPin: (user: number, variant: string) => void;
}

function PinMark(): ReactNode {
  return (
    <svg aria-hidden="true" width="8" height="8" viewBox="0 0 8 8" className={styles['pin']}>
      <path d="M0 0h8v8z" fill="currentColor" />
    </svg>
  );
}

/** One user's alternatives on one tier. With a hundred users there are thousands of cells: unchanged rows stay as they are. */
export const MatrixRow = memo(function MatrixRow(props: MatrixRowProps): ReactNode {
  const { user, tier, beliefs, barredWhy } = props;
  return (
    <tr>
      <th scope="row" title={STRINGS.user(user)}>
        {user + 1}
      </th>
      {props.variants.map(({ id }, index) => {
        const belief = beliefs[index];
        const isChosen = props.chosen === id;
        const state = cellState(belief, props.pinned === id, isChosen, barredWhy !== undefined);
        const text = cellText({ user, tier, variant: id }, belief, state, barredWhy);
        const cell = `${user} ${tier} ${id}`;
        return (
          <td
            key={id}
            role="gridcell"
            data-testid="choice-cell"
            data-user={user}
            data-tier={tier}
            data-variant={id}
            data-state={state}
            data-chosen={isChosen}
            aria-selected={isChosen}
            aria-label={text}
            title={text}
            tabIndex={cell === props.tabStop ? 0 : -1}
            onFocus={() => props.onFocusCell(cell)}
            onClick={() => props.onPin(user, id)}
            onKeyDown={(event) => {
              if (event.key !== 'Enter' && event.key !== ' ') return;
              event.preventDefault();
              props.onPin(user, id);
            }}
          >
            {state === 'pinned' && <PinMark />}
            {formatFigure(belief?.predictedMs)}
          </td>
        );
      })}
    </tr>
  );
});
