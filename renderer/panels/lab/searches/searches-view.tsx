import { useState } from 'react';
import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import { useSession } from '../../../session';
import { strings } from '../../../strings';
import { Button, EmptyState } from '../../../ui';
import { Answered, useChosen } from '../shelf';
import shelf from '../shelf/shelf.module.css';
import { useLabRequest } from '../use-lab-request';
import { NewSearch } from './new-search';
import { SearchList } from './search-list';
import { SearchPage } from './search-page';

const STRINGS = strings.lab.searches;

/** Searches over parameters: what they have found, and the way to start another. */
export function SearchesView(): ReactNode {
  const { engine } = useSession();
  const live = useStore(engine, (state) => state.status.state === 'ok');
  const answer = useLabRequest('lab.searches', {}, 'searches');
  const [chosen, choose] = useChosen('searches');
  const [isNewOpen, setIsNewOpen] = useState(false);
  const form = (
    <NewSearch
      onDone={({ id }) => {
        setIsNewOpen(false);
        choose(id);
        answer.askAgain();
      }}
      onCancel={() => setIsNewOpen(false)}
    />
  );
  return (
    <div className={shelf['shelf']} data-testid="lab-searches">
      <Answered answer={answer} loading={STRINGS.loading} failedTitle={STRINGS.failed}>
        {(searches) => {
          if (searches.length === 0 && isNewOpen) return form;
          if (searches.length === 0)
            return (
              <EmptyState
                title={STRINGS.emptyTitle}
                action={
                  <Button variant="primary" disabled={!live} onClick={() => setIsNewOpen(true)}>
                    {STRINGS.emptyAction}
                  </Button>
                }
              >
                {STRINGS.empty}
              </EmptyState>
            );
          // One that was started just now may not be listed yet.
          const selected = chosen ?? searches[0]?.id;
          return (
            <div className={shelf['split']}>
              <SearchList
                searches={searches}
                selected={selected}
                isNewOpen={isNewOpen}
                onSelect={(id) => {
                  setIsNewOpen(false);
                  choose(id);
                }}
                onNew={() => setIsNewOpen(true)}
              />
              {isNewOpen || selected === undefined ? (
                form
              ) : (
                <SearchPage
                  key={selected}
                  id={selected}
                  onSelect={(id) => {
                    choose(id);
                    answer.askAgain();
                  }}
                />
              )}
            </div>
          );
        }}
      </Answered>
    </div>
  );
}
