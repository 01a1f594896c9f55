import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import { useSession } from '../../../session';
import { strings } from '../../../strings';
import { Button, EmptyState } from '../../../ui';
import { useNow } from '../../../ui/use-now';
import { Answered, FaultNote, useChosen, useLabAction } from '../shelf';
import shelf from '../shelf/shelf.module.css';
import { useLabRequest } from '../use-lab-request';
import { CompetitionList } from './competition-list';
import { CompetitionPage } from './competition-page';

const STRINGS = strings.lab.board;

/** The shipped example has a competition. */
function NoCompetitions({ onDone }: { readonly onDone: () => void }): ReactNode {
  const { client, engine } = useSession();
  const live = useStore(engine, (state) => state.status.state === 'ok');
  const action = useLabAction();
  const start = (): void => {
    void action.attempt(STRINGS.exampleFailed, async () => {
      await client.request('lab.startExample', {});
      onDone();
    });
  };
  return (
    <>
      <FaultNote action={action} />
      <EmptyState
        title={STRINGS.emptyTitle}
        action={
          <Button variant="primary" disabled={!live || action.isBusy} onClick={start}>
            {action.isBusy ? STRINGS.startingExample : STRINGS.emptyAction}
          </Button>
        }
      >
        {STRINGS.empty}
      </EmptyState>
    </>
  );
}

/** Competitions, who leads them, and the way to take part. */
export function BoardView(): ReactNode {
  const answer = useLabRequest('lab.competitions', {}, 'competitions');
  const [chosen, choose] = useChosen('board');
  const nowMs = useNow();
  return (
    <div className={shelf['shelf']} data-testid="lab-board">
      <Answered answer={answer} loading={STRINGS.loading} failedTitle={STRINGS.failed}>
        {(competitions) => {
          const selected = competitions.find(({ name }) => name === chosen) ?? competitions[0];
          if (selected === undefined) return <NoCompetitions onDone={answer.askAgain} />;
          return (
            <div className={shelf['split']}>
              <CompetitionList
                competitions={competitions}
                selected={selected.name}
                nowMs={nowMs}
                onSelect={choose}
              />
              <CompetitionPage
                key={selected.name}
                competition={selected}
                nowMs={nowMs}
                onSubmitted={answer.askAgain}
              />
            </div>
          );
        }}
      </Answered>
    </div>
  );
}
