import type { ReactNode } from 'react';

import type { LabSearchSummary } from '../../../../core/contract';
import { formatPct } from '../../../format';
import { strings } from '../../../strings';
import { Button } from '../../../ui';
import { formatMetric } from '../lab-format';
import { UsageBar } from '../shelf';
import shelf from '../shelf/shelf.module.css';

const STRINGS = strings.lab.searches;

interface SearchListProps {
  readonly searches: readonly LabSearchSummary[];
  readonly selected: string | undefined;
  readonly isNewOpen: boolean;
  readonly onSelect: (id: string) => void;
  readonly onNew: () => void;
}

function Item({
  search,
  isCurrent,
  onSelect,
}: {
  readonly search: LabSearchSummary;
  readonly isCurrent: boolean;
  readonly onSelect: (id: string) => void;
}): ReactNode {
  const { id, state, algorithm, metric, best, trialCount, spentResource, budget } = search;
  const tone = state === 'failed' ? shelf['bad'] : state === 'interrupted' ? shelf['warn'] : shelf['muted'];
  const spent = `${STRINGS.spent}: ${formatPct((spentResource / budget) * 100)}`;
  return (
    <li>
      <button
        type="button"
        className={shelf['item']}
        aria-current={isCurrent}
        data-testid="search-item"
        data-state={state}
        onClick={() => onSelect(id)}
      >
        <span className={shelf['itemLine']}>
          <span className={shelf['mono']} title={id}>
            {id}
          </span>
          <span className={state === 'running' ? shelf['strong'] : tone}>{STRINGS.states[state]}</span>
        </span>
        <span className={shelf['itemLine']}>
          <span className={shelf['muted']}>{`${algorithm}, ${STRINGS.trialsCount(trialCount)}`}</span>
          <span title={`${STRINGS.best} ${metric.name}`}>{formatMetric(best)}</span>
        </span>
        <UsageBar used={spentResource} total={budget} label={spent} />
      </button>
    </li>
  );
}

/** The searches, the newest first, with how far each is. */
export function SearchList({ searches, selected, isNewOpen, onSelect, onNew }: SearchListProps): ReactNode {
  return (
    <nav className={shelf['list']} aria-label={STRINGS.list}>
      <header className={shelf['listHead']}>
        <h2>{STRINGS.list}</h2>
        <Button disabled={isNewOpen} onClick={onNew}>
          {STRINGS.new}
        </Button>
      </header>
      <ul className={shelf['items']}>
        {searches.map((search) => (
          <Item
            key={search.id}
            search={search}
            isCurrent={!isNewOpen && search.id === selected}
            onSelect={onSelect}
          />
        ))}
      </ul>
    </nav>
  );
}
