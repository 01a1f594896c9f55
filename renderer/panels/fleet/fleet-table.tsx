import { createContext, useCallback, useContext, useMemo } from 'react';
import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import type { FleetBox } from '../../../core/contract';
import { useSession } from '../../session';
import { strings } from '../../strings';
import { useSize, VirtualTable } from '../../ui';
import { toggleChosen } from './fleet-actions';
import { columnsFor } from './fleet-columns';
import type { FleetColumn } from './fleet-columns';
import columnStyles from './fleet-columns.module.css';
import styles from './fleet-view.module.css';

const WORDS = strings.fleet;

const rowKey = ({ id }: FleetBox): string => id;
const rowData = ({ name, state }: FleetBox) => ({
  'data-testid': 'box-row',
  'data-box': name,
  'data-state': state,
});

/** Reaches the head past the columns, which stay the same while rows change. */
const RowsInView = createContext<readonly FleetBox[]>([]);

/** Chooses all boxes in view, or none of them. */
function ChoiceHead(): ReactNode {
  const rows = useContext(RowsInView);
  const { fleet } = useSession();
  const chosen = useStore(fleet, (state) => state.chosen);
  const count = rows.filter(({ id }) => chosen.has(id)).length;
  return (
    <span className={columnStyles['choice']}>
      <input
        type="checkbox"
        aria-label={WORDS.chooseAll}
        checked={count > 0 && count === rows.length}
        ref={(input) => {
          if (input !== null) input.indeterminate = count > 0 && count < rows.length;
        }}
        onChange={() => toggleChosen(fleet, rows.map(rowKey))}
      />
    </span>
  );
}

/** The boxes, one line each; as many columns as fit. */
export function FleetTable({ rows }: { readonly rows: readonly FleetBox[] }): ReactNode {
  const { fleet } = useSession();
  const order = useStore(fleet, (state) => state.order);
  const selected = useStore(fleet, (state) => state.selected);
  const [frame, { width }] = useSize<HTMLDivElement>();
  const { actions } = fleet.getState();
  const fitting = useMemo(() => columnsFor(width === 0 ? Infinity : width), [width]);
  const open = useCallback(
    ({ id }: FleetBox) => {
      const {
        selected: now,
        actions: { select },
      } = fleet.getState();
      select(now === id ? undefined : id);
    },
    [fleet],
  );
  const choose = useCallback(({ id }: FleetBox) => toggleChosen(fleet, [id]), [fleet]);
  const columns = useMemo(
    (): readonly FleetColumn[] =>
      fitting.map((column) => (column.key === 'choice' ? { ...column, head: <ChoiceHead /> } : column)),
    [fitting],
  );
  return (
    <RowsInView value={rows}>
      <div ref={frame} className={styles['table']}>
        <VirtualTable
          label={WORDS.table}
          rows={rows}
          columns={columns}
          rowKey={rowKey}
          rowData={rowData}
          selected={selected}
          order={order}
          onOrder={actions.setOrder}
          onOpen={open}
          onChoose={choose}
          minWidthPx={560}
        />
      </div>
    </RowsInView>
  );
}
