import { useMemo, useState } from 'react';
import type { ReactNode } from 'react';

import type { LabSearch } from '../../../../core/contract';
import { useSession } from '../../../session';
import { strings } from '../../../strings';
import { ParallelCoordinates } from '../parallel';
import type { ParallelBrush } from '../parallel';
import { Answered } from '../shelf';
import { useLabRequest } from '../use-lab-request';
import { BestChart } from './best-chart';
import { BrushBar } from './brush-bar';
import { SearchHead } from './search-head';
import styles from './searches.module.css';
import { axesOf, linesOf, METRIC_AXIS, trialsWithin } from './trial-space';
import { TrialsTable } from './trials-table';

const STRINGS = strings.lab.searches;

interface SearchPageProps {
  readonly id: string;
  readonly onSelect: (id: string | undefined) => void;
}

const NO_BRUSHES: readonly ParallelBrush[] = [];

function Loaded({
  search,
  onSelect,
}: {
  readonly search: LabSearch;
  readonly onSelect: SearchPageProps['onSelect'];
}): ReactNode {
  const { lab } = useSession();
  const [brushes, setBrushes] = useState(NO_BRUSHES);
  const axes = useMemo(() => axesOf(search), [search]);
  const lines = useMemo(() => linesOf(search, axes), [search, axes]);
  const shown = useMemo(() => trialsWithin(search.trials, brushes), [search, brushes]);
  const hasScores = axes.some(({ id }) => id === METRIC_AXIS);
  const open = (trial: string): void => {
    const runId = search.trials.find(({ id }) => String(id) === trial)?.runId;
    if (runId !== undefined) lab.getState().actions.open({ kind: 'run', runId });
  };
  return (
    <>
      <SearchHead search={search} onRemoved={() => onSelect(undefined)} />
      <div className={styles['charts']}>
        <BestChart search={search} />
        <section className={styles['chart']} aria-label={STRINGS.parallel}>
          <h3>{STRINGS.parallel}</h3>
          {lines.length === 0 ? (
            <p className={styles['none']}>{STRINGS.noTrials}</p>
          ) : (
            <ParallelCoordinates
              label={STRINGS.parallelLabel(lines.length)}
              axes={axes}
              lines={lines}
              brushes={brushes}
              onBrush={setBrushes}
              best={search.metric.direction}
              marked={search.bestTrial === undefined ? undefined : String(search.bestTrial)}
              onOpen={open}
              {...(hasScores ? { colourBy: METRIC_AXIS } : {})}
            />
          )}
        </section>
      </div>
      {lines.length > 0 && (
        <BrushBar
          search={search}
          brushes={brushes}
          onClear={() => setBrushes(NO_BRUSHES)}
          onStarted={onSelect}
        />
      )}
      <TrialsTable search={search} trials={shown} />
    </>
  );
}

/** One search: how it stands, what its trials came to, and the way to the next one. */
export function SearchPage({ id, onSelect }: SearchPageProps): ReactNode {
  const answer = useLabRequest('lab.search', { id }, 'searches');
  return (
    <div className={styles['page']} data-testid="search-page">
      <Answered answer={answer} loading={STRINGS.loadingSearch} failedTitle={STRINGS.failedSearch}>
        {(search) => <Loaded search={search} onSelect={onSelect} />}
      </Answered>
    </div>
  );
}
