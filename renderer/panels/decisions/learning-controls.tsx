import { useState } from 'react';
import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import type { OffloadState } from '../../../core/contract';
import { formatCount } from '../../format';
import { useSession } from '../../session';
import { strings } from '../../strings';
import { Button, UndoStrip } from '../../ui';
import { exportText, pauseLearning, resetLearning, restoreLearning } from './decision-actions';
import styles from './deployment-controls.module.css';

const STRINGS = strings.decisions;

const WORDS = STRINGS.controls;

/** What was learned: pausing, throwing away with a way back, and taking it along. */
export function LearningControls({ deployment }: { readonly deployment: OffloadState }): ReactNode {
  const session = useSession();
  const live = useStore(session.engine, (state) => state.status.state === 'ok');
  const saved = useStore(session.offload, (state) => state.saved);
  const { learningPaused, learnedSteps, canRestore, settings } = deployment;
  const [wasReset] = useState(canRestore);
  const steps = formatCount(learnedSteps);
  return (
    <section className={styles['section']} aria-label={WORDS.learning}>
      <h2>
        {WORDS.learning}
        <span className={learningPaused ? styles['paused'] : undefined}>
          {learningPaused ? WORDS.paused : ''}
        </span>
      </h2>
      <p className={styles['note']}>{WORDS.learned(steps)}</p>
      <div className={styles['buttons']}>
        <Button disabled={!live} onClick={() => void pauseLearning(session, !learningPaused)}>
          {learningPaused ? WORDS.resume : WORDS.pause}
        </Button>
        <Button
          disabled={!live || learnedSteps === 0}
          title={WORDS.resetHint(steps, settings.agent)}
          onClick={() => void resetLearning(session)}
        >
          {WORDS.reset}
        </Button>
      </div>
      <h3>{WORDS.exports}</h3>
      <div className={styles['buttons']}>
        <Button
          disabled={!live}
          title={WORDS.exportDecisionsHint}
          aria-label={`${WORDS.exports} ${WORDS.exportDecisions}`}
          onClick={() => void exportText(session, 'decisions')}
        >
          {WORDS.exportDecisions}
        </Button>
        <Button
          disabled={!live || learnedSteps === 0}
          title={WORDS.exportCheckpointHint}
          aria-label={`${WORDS.exports} ${WORDS.exportCheckpoint}`}
          onClick={() => void exportText(session, 'checkpoint')}
        >
          {WORDS.exportCheckpoint}
        </Button>
      </div>
      {canRestore && (
        <div className={styles['undo']} data-testid="learning-reset">
          <UndoStrip
            undoLabel={WORDS.restore}
            disabled={!live}
            takesFocus={!wasReset}
            onUndo={() => void restoreLearning(session)}
          >
            {WORDS.wasReset}
          </UndoStrip>
        </div>
      )}
      {saved !== undefined && (
        <p role="status" className={styles['note']}>
          {WORDS.saved(saved)}
        </p>
      )}
    </section>
  );
}
