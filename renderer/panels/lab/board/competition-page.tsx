import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import type { LabCompetition } from '../../../../core/contract';
import { useSession } from '../../../session';
import { strings } from '../../../strings';
import { formatWhen } from '../lab-format';
import { Answered } from '../shelf';
import shelf from '../shelf/shelf.module.css';
import { useLabRequest } from '../use-lab-request';
import styles from './board.module.css';
import { deadlineText, isOver } from './deadline';
import { Leaderboard } from './leaderboard';
import { Submissions } from './submissions';
import { SubmitForm } from './submit-form';

const STRINGS = strings.lab.board;

interface CompetitionPageProps {
  readonly competition: LabCompetition;
  readonly nowMs: number;
  /** What is left today is asked again. */
  readonly onSubmitted: () => void;
}

function Head({ competition, nowMs }: Pick<CompetitionPageProps, 'competition' | 'nowMs'>): ReactNode {
  const { title, description, metric, dataset, owner, deadlineMs, leftToday, submissionsPerDay } =
    competition;
  const over = isOver(competition, nowMs);
  return (
    <header className={styles['head']}>
      <h2>{title}</h2>
      {description !== '' && <p className={styles['description']}>{description}</p>}
      <ul className={styles['facts']}>
        <li>{`${metric.name} ${STRINGS.arrows[metric.direction]} ${STRINGS.directions[metric.direction]}`}</li>
        <li className={shelf['mono']}>{dataset}</li>
        <li>{`${STRINGS.owner} ${owner}`}</li>
        {!over && (
          <li className={leftToday === 0 ? shelf['warn'] : undefined} data-testid="left-today">
            {STRINGS.left(leftToday, submissionsPerDay)}
          </li>
        )}
        <li
          className={over ? shelf['warn'] : undefined}
          title={deadlineMs === undefined ? undefined : STRINGS.deadlineAt(formatWhen(deadlineMs, nowMs))}
          data-testid="deadline"
        >
          {over && deadlineMs !== undefined
            ? STRINGS.overAt(formatWhen(deadlineMs, nowMs))
            : deadlineText(competition, nowMs)}
        </li>
      </ul>
    </header>
  );
}

/** One competition: its board, and what this user does there. */
export function CompetitionPage({ competition, nowMs, onSubmitted }: CompetitionPageProps): ReactNode {
  const { lab } = useSession();
  const user = useStore(lab, (state) => state.status?.user);
  const rows = useStore(lab, (state) => state.rows);
  const input = { competition: competition.name };
  const board = useLabRequest('lab.board', input, 'competitions');
  const mine = useLabRequest('lab.submissions', input, 'competitions');
  const runName = (runId: string): string =>
    rows?.find((row) => row.runId === runId)?.name ??
    mine.value?.find((submission) => submission.runId === runId)?.runName ??
    runId.slice(0, 8);
  return (
    <div className={shelf['column']} data-testid="competition-page">
      <Head competition={competition} nowMs={nowMs} />
      <div className={shelf['split']}>
        <div className={shelf['column']}>
          <Answered answer={board} loading={STRINGS.loadingBoard} failedTitle={STRINGS.failedBoard}>
            {(boardRows) => (
              <Leaderboard
                competition={competition}
                rows={boardRows}
                user={user}
                nowMs={nowMs}
                runName={runName}
              />
            )}
          </Answered>
        </div>
        <aside className={styles['side']} aria-label={STRINGS.mine}>
          <SubmitForm
            competition={competition}
            user={user}
            isOver={isOver(competition, nowMs)}
            onDone={() => {
              mine.askAgain();
              onSubmitted();
            }}
          />
          <section className={styles['mineSection']}>
            <h3>{STRINGS.mine}</h3>
            <Answered answer={mine} loading={STRINGS.loadingMine} failedTitle={STRINGS.failedMine}>
              {(submissions) => <Submissions submissions={submissions} nowMs={nowMs} />}
            </Answered>
          </section>
        </aside>
      </div>
    </div>
  );
}
