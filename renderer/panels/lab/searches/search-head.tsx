import { useState } from 'react';
import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import type { LabSearch } from '../../../../core/contract';
import { formatCount } from '../../../format';
import { useSession } from '../../../session';
import { strings } from '../../../strings';
import { Button } from '../../../ui';
import { formatMetric } from '../lab-format';
import { AskStrip, FaultNote, UsageBar, useLabAction } from '../shelf';
import shelf from '../shelf/shelf.module.css';
import { PoolsBar } from './pools-bar';
import styles from './searches.module.css';

const STRINGS = strings.lab.searches;

interface SearchHeadProps {
  readonly search: LabSearch;
  /** It is no more. */
  readonly onRemoved: () => void;
}

function Figures({ search }: { readonly search: LabSearch }): ReactNode {
  const { metric, best, bestTrial, spentResource, budget, trials } = search;
  const spent = STRINGS.spentOf(formatCount(spentResource), formatCount(budget));
  return (
    <div className={styles['figures']}>
      <div>
        <span>{`${STRINGS.best} ${metric.name}`}</span>
        <b data-testid="search-best">{formatMetric(best)}</b>
        <span>{bestTrial === undefined ? STRINGS.noBest : STRINGS.bestTrial(bestTrial)}</span>
      </div>
      <div className={styles['budget']}>
        <span>{STRINGS.spent}</span>
        <UsageBar used={spentResource} total={budget} label={`${STRINGS.spent}: ${spent}`} />
        <span>{spent}</span>
      </div>
      <div className={styles['poolsFigure']}>
        <span>{STRINGS.trialsCount(trials.length)}</span>
        <PoolsBar trials={trials} />
      </div>
    </div>
  );
}

/** What the search is, how it stands, and what can be done with it. */
export function SearchHead({ search, onRemoved }: SearchHeadProps): ReactNode {
  const { client, engine } = useSession();
  const live = useStore(engine, (state) => state.status.state === 'ok');
  const action = useLabAction();
  const [isAsking, setIsAsking] = useState(false);
  const { id, state, algorithm, entry, dataset } = search;
  const isOff = !live || action.isBusy;
  const remove = (): void => {
    setIsAsking(false);
    void action
      .attempt(STRINGS.removeFailed, () => client.request('lab.removeSearch', { id }))
      .then((isGone) => {
        if (isGone) onRemoved();
      });
  };
  return (
    <>
      <header className={shelf['bar']}>
        <h2 className={shelf['mono']} title={id}>
          {id}
        </h2>
        <span
          className={state === 'failed' ? shelf['bad'] : state === 'interrupted' ? shelf['warn'] : undefined}
          data-testid="search-state"
          role="status"
        >
          {STRINGS.states[state]}
        </span>
        <p title={entry}>{[algorithm, entry, dataset].filter(Boolean).join(', ')}</p>
        <span className={`${shelf['end']} ${shelf['buttons']}`}>
          {state === 'running' && (
            <Button
              title={STRINGS.stopHint}
              disabled={isOff}
              onClick={() =>
                void action.attempt(STRINGS.stopFailed, () => client.request('lab.stopSearch', { id }))
              }
            >
              {STRINGS.stop}
            </Button>
          )}
          {state === 'interrupted' && (
            <Button
              variant="primary"
              title={STRINGS.resumeHint}
              disabled={isOff}
              onClick={() =>
                void action.attempt(STRINGS.resumeFailed, () => client.request('lab.resumeSearch', { id }))
              }
            >
              {STRINGS.resume}
            </Button>
          )}
          {state !== 'running' && (
            <Button disabled={isOff || isAsking} onClick={() => setIsAsking(true)}>
              {STRINGS.remove}
            </Button>
          )}
        </span>
      </header>
      {isAsking && (
        <AskStrip
          question={STRINGS.removeAsk(id, search.trials.length)}
          yes={STRINGS.removeYes}
          onYes={remove}
          onNo={() => setIsAsking(false)}
        />
      )}
      <FaultNote action={action} />
      {search.reason !== undefined && (
        <p className={styles['reason']} data-state={state}>
          {search.reason}
        </p>
      )}
      <Figures search={search} />
    </>
  );
}
