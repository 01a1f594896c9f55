import type { ReactNode } from 'react';

import type { LabCompetition } from '../../../../core/contract';
import { strings } from '../../../strings';
import shelf from '../shelf/shelf.module.css';
import { deadlineText, isOver } from './deadline';

const STRINGS = strings.lab.board;

interface CompetitionListProps {
  readonly competitions: readonly LabCompetition[];
  readonly selected: string | undefined;
  readonly nowMs: number;
  readonly onSelect: (name: string) => void;
}

/** All competitions, with what is left to do in each. */
export function CompetitionList(props: CompetitionListProps): ReactNode {
  return (
    <nav className={shelf['list']} aria-label={STRINGS.list}>
      <header className={shelf['listHead']}>
        <h2>{STRINGS.list}</h2>
      </header>
      <ul className={shelf['items']}>
        {props.competitions.map((competition) => {
          const { name, title, metric, leftToday, submissionsPerDay } = competition;
          return (
            <li key={name}>
              <button
                type="button"
                className={shelf['item']}
                aria-current={name === props.selected}
                data-testid="competition-item"
                onClick={() => props.onSelect(name)}
              >
                <span className={shelf['itemLine']}>
                  <span className={shelf['strong']} title={title}>
                    {title}
                  </span>
                </span>
                <span className={shelf['itemLine']}>
                  <span className={shelf['muted']} title={STRINGS.directions[metric.direction]}>
                    {`${metric.name} ${STRINGS.arrows[metric.direction]}`}
                  </span>
                  <span className={shelf['muted']}>{deadlineText(competition, props.nowMs)}</span>
                </span>
                <span className={shelf['itemLine']}>
                  {!isOver(competition, props.nowMs) && (
                    <span className={leftToday === 0 ? shelf['warn'] : shelf['muted']}>
                      {leftToday === 0 ? STRINGS.none : STRINGS.left(leftToday, submissionsPerDay)}
                    </span>
                  )}
                </span>
              </button>
            </li>
          );
        })}
      </ul>
    </nav>
  );
}
