import { useState } from 'react';
import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import type { LabDeployment, LabTraffic } from '../../../../core/contract';
import { formatCount, formatFigure, formatPct } from '../../../format';
import { useSession } from '../../../session';
import { strings } from '../../../strings';
import { Button, FailureNote, Help, NumberField } from '../../../ui';
import { AskStrip, FaultNote, useLabAction } from '../shelf';
import type { LabAction } from '../shelf';
import shelf from '../shelf/shelf.module.css';
import styles from './models.module.css';

const STRINGS = strings.lab.models;

const WORDS = STRINGS.deployments;

function TrafficRow({ traffic, role }: { readonly traffic: LabTraffic; readonly role: 'stable' | 'canary' }) {
  const { version, sharePct, requests, failures, medianMs, p95Ms } = traffic;
  return (
    <tr data-testid="traffic-row" data-role={role}>
      <th scope="row">
        <i data-role={role} aria-hidden="true" />
        {version}
        <span>{WORDS[role]}</span>
      </th>
      <td>{formatPct(sharePct)}</td>
      <td>{formatCount(requests)}</td>
      <td className={failures > 0 ? shelf['bad'] : undefined}>{formatCount(failures)}</td>
      <td>{formatFigure(medianMs)}</td>
      <td>{formatFigure(p95Ms)}</td>
    </tr>
  );
}

/** What each of its versions was asked and how it answered. */
function Traffic({ deployment }: { readonly deployment: LabDeployment }): ReactNode {
  const { stable, canary, servedAs } = deployment;
  const { columns } = WORDS;
  return (
    <div className={styles['traffic']}>
      <span className={styles['shares']} aria-hidden="true">
        <i data-role="stable" style={{ width: `${stable.sharePct}%` }} />
        {canary !== undefined && <i data-role="canary" style={{ width: `${canary.sharePct}%` }} />}
      </span>
      <table aria-label={servedAs}>
        <thead>
          <tr>
            <th scope="col">{columns.version}</th>
            <th scope="col">
              <Help id="lab.share">{columns.share}</Help>
            </th>
            <th scope="col">
              <Help id="lab.requests">{columns.requests}</Help>
            </th>
            <th scope="col">
              <Help id="lab.failures">{columns.failures}</Help>
            </th>
            <th scope="col">
              <Help id="lab.median">{columns.median}</Help>
            </th>
            <th scope="col">
              <Help id="lab.p95">{columns.p95}</Help>
            </th>
          </tr>
        </thead>
        <tbody>
          <TrafficRow traffic={stable} role="stable" />
          {canary !== undefined && <TrafficRow traffic={canary} role="canary" />}
        </tbody>
      </table>
    </div>
  );
}

interface ControlsProps {
  readonly deployment: LabDeployment;
  readonly action: LabAction;
  readonly onChanged: () => void;
  readonly onUnpublish: () => void;
}

function rollBackHint({ canary, stable, previousVersion }: LabDeployment): string | undefined {
  if (canary !== undefined) return WORDS.rollBackCanary(canary.version, stable.version);
  return previousVersion === undefined ? undefined : WORDS.rollBackTo(previousVersion);
}

function Controls({ deployment, action, onChanged, onUnpublish }: ControlsProps): ReactNode {
  const { client, engine } = useSession();
  const live = useStore(engine, (state) => state.status.state === 'ok');
  const { endpointId, servedAs, canary, stable } = deployment;
  const isOff = !live || action.isBusy;
  const setShare = (sharePct: number, title: string): void =>
    void action.attempt(title, async () => {
      await client.request('lab.setCanary', { endpointId, servedAs, sharePct });
      onChanged();
    });
  const back = rollBackHint(deployment);
  return (
    <div className={styles['controls']}>
      {canary !== undefined && (
        <>
          <NumberField
            label={WORDS.canaryShare}
            value={canary.sharePct}
            isValid={(value) => value >= 0 && value <= 100}
            fault={WORDS.badShare}
            disabled={isOff}
            onCommit={(sharePct) => setShare(sharePct, WORDS.shareFailed(servedAs))}
          />
          <Button
            variant="primary"
            title={WORDS.promoteHint(canary.version, stable.version)}
            disabled={isOff}
            onClick={() => setShare(100, WORDS.promoteFailed(servedAs))}
          >
            {WORDS.promote}
          </Button>
        </>
      )}
      {back !== undefined && (
        <Button
          title={back}
          disabled={isOff}
          onClick={() =>
            void action.attempt(WORDS.rollBackFailed(servedAs), async () => {
              await client.request('lab.rollBack', { endpointId, servedAs });
              onChanged();
            })
          }
        >
          {WORDS.rollBack}
        </Button>
      )}
      <Button disabled={isOff} onClick={onUnpublish}>
        {WORDS.unpublish}
      </Button>
    </div>
  );
}

interface DeploymentCardProps {
  readonly deployment: LabDeployment;
  /** The list is asked again. */
  readonly onChanged: () => void;
}

/** A model at an endpoint: its versions, their traffic, and which of them goes on. */
export function DeploymentCard({ deployment, onChanged }: DeploymentCardProps): ReactNode {
  const { client } = useSession();
  const action = useLabAction();
  const [isAsking, setIsAsking] = useState(false);
  const { endpointId, endpointName, model, servedAs, state, error, variant } = deployment;
  const unpublish = (): void => {
    setIsAsking(false);
    void action.attempt(WORDS.unpublishFailed(servedAs), async () => {
      await client.request('lab.unpublish', { endpointId, servedAs });
      onChanged();
    });
  };
  return (
    <li className={styles['deployment']} data-testid="deployment" data-state={state}>
      <header>
        <h3>
          <code title={model}>{servedAs}</code>
          <span>{WORDS.at}</span>
          <code>{endpointName}</code>
        </h3>
        <span className={styles['state']} data-state={state}>
          {WORDS.states[state]}
        </span>
        {variant !== undefined && <span className={shelf['muted']}>{WORDS.asVariant(variant)}</span>}
        <Controls
          deployment={deployment}
          action={action}
          onChanged={onChanged}
          onUnpublish={() => setIsAsking(true)}
        />
      </header>
      {isAsking && (
        <AskStrip
          question={WORDS.unpublishAsk(servedAs, endpointName)}
          yes={WORDS.unpublishYes}
          onYes={unpublish}
          onNo={() => setIsAsking(false)}
        />
      )}
      <FaultNote action={action} />
      {error !== undefined && <FailureNote title={WORDS.stateFailed(servedAs)} error={error} />}
      <Traffic deployment={deployment} />
    </li>
  );
}
