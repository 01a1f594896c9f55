import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import type { OffloadState } from '../../../core/contract';
import { useSession } from '../../session';
import { strings } from '../../strings';
import { Button, NumberField, SelectField } from '../../ui';
import { configure, startDeployment, stopDeployment } from './decision-actions';
import styles from './deployment-controls.module.css';
import { LearningControls } from './learning-controls';
import { VariantList } from './variant-list';

const STRINGS = strings.decisions;

const WORDS = STRINGS.controls;

const isPct = (value: number): boolean => value >= 0 && value <= 100;

function Settings({ deployment }: { readonly deployment: OffloadState }): ReactNode {
  const session = useSession();
  const live = useStore(session.engine, (state) => state.status.state === 'ok');
  const { settings, agents } = deployment;
  const set = (part: Parameters<typeof configure>[1]): void => void configure(session, part);
  return (
    <div className={styles['settings']}>
      <div className={styles['wide']}>
        <SelectField
          label={WORDS.agent}
          hint={WORDS.agentHint}
          value={settings.agent}
          options={agents.map((agent) => ({ value: agent, label: agent }))}
          disabled={!live}
          onChange={(agent) => set({ agent })}
        />
      </div>
      <NumberField
        label={WORDS.users}
        hint={WORDS.usersHint}
        value={settings.users}
        isValid={(users) => Number.isInteger(users) && users >= 1}
        fault={WORDS.badUsers}
        disabled={!live}
        onCommit={(users) => set({ users })}
      />
      <NumberField
        label={WORDS.period}
        hint={WORDS.periodHint}
        value={settings.periodMs}
        isValid={(periodMs) => periodMs >= 0}
        fault={WORDS.badPeriod}
        disabled={!live}
        onCommit={(periodMs) => set({ periodMs })}
      />
      <NumberField
        label={WORDS.threshold}
        hint={WORDS.thresholdHint}
        value={settings.thresholdPct}
        isValid={isPct}
        fault={WORDS.badPct}
        disabled={!live}
        onCommit={(thresholdPct) => set({ thresholdPct })}
      />
      <NumberField
        label={WORDS.cap}
        hint={WORDS.capHint}
        // A share of 0.07 is 7.000000000000001 percent.
        value={Number((settings.explorationCap * 100).toFixed(6))}
        isValid={isPct}
        fault={WORDS.badPct}
        disabled={!live}
        onCommit={(pct) => set({ explorationCap: pct / 100 })}
      />
    </div>
  );
}

function StartStop({ deployment }: { readonly deployment: OffloadState }): ReactNode {
  const session = useSession();
  const live = useStore(session.engine, (state) => state.status.state === 'ok');
  if (deployment.state === 'running') {
    return (
      <Button variant="danger" disabled={!live} onClick={() => void stopDeployment(session)}>
        {WORDS.stop}
      </Button>
    );
  }
  return (
    <Button
      variant="primary"
      disabled={!live || deployment.variants.length === 0}
      onClick={() => void startDeployment(session)}
    >
      {deployment.state === 'failed' ? WORDS.startAgain : WORDS.start}
    </Button>
  );
}

/** The column of choices: start and stop, how the deployment runs, what it learns, and the variants it may use. */
export function DeploymentControls({ deployment }: { readonly deployment: OffloadState }): ReactNode {
  return (
    <div className={styles['controls']} role="group" aria-label={WORDS.region}>
      <div className={styles['start']}>
        <StartStop deployment={deployment} />
        <span
          role="status"
          className={styles['state']}
          data-testid="deployment-state"
          data-state={deployment.state}
        >
          {STRINGS.states[deployment.state]}
        </span>
      </div>
      <Settings deployment={deployment} />
      <LearningControls deployment={deployment} />
      <VariantList deployment={deployment} />
    </div>
  );
}
