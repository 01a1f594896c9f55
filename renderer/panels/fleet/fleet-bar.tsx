import { useMemo } from 'react';
import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import type { FleetBox } from '../../../core/contract';
import { formatCount } from '../../format';
import { useSession } from '../../session';
import type { BoxFilter } from '../../stores';
import { strings } from '../../strings';
import { Button, Segmented } from '../../ui';
import { FleetSummary } from './fleet-summary';
import styles from './fleet-view.module.css';

const WORDS = strings.fleet;

const FILTERS = Object.keys(WORDS.filters) as BoxFilter[];

/** The fleet in figures, the filter of the table, and the way to another box. */
export function FleetBar({ boxes }: { readonly boxes: readonly FleetBox[] }): ReactNode {
  const { fleet } = useSession();
  const words = useStore(fleet, (state) => state.words);
  const filter = useStore(fleet, (state) => state.filter);
  const isAdding = useStore(fleet, (state) => state.isAdding);
  const { actions } = fleet.getState();
  const options = useMemo(
    () =>
      FILTERS.map((value) => {
        const count = value === 'all' ? boxes.length : boxes.filter(({ state }) => state === value).length;
        return { value, label: `${WORDS.filters[value]} ${formatCount(count)}` };
      }),
    [boxes],
  );
  return (
    <header className={styles['head']}>
      <FleetSummary boxes={boxes} />
      <div className={styles['bar']}>
        <input
          type="search"
          className={styles['search']}
          aria-label={WORDS.search}
          placeholder={WORDS.searchPlaceholder}
          value={words}
          spellCheck={false}
          autoComplete="off"
          onChange={(event) => actions.setWords(event.currentTarget.value)}
        />
        <Segmented label={WORDS.filter} value={filter} options={options} onChange={actions.setFilter} />
        <span className={styles['space']} />
        <Button aria-expanded={isAdding} onClick={() => actions.setAdding(!isAdding)}>
          {WORDS.add.open}
        </Button>
      </div>
    </header>
  );
}
