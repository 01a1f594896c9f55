import { useState } from 'react';
import type { ReactNode, SubmitEvent } from 'react';
import { useStore } from 'zustand';

import type { FleetBox } from '../../../core/contract';
import { formatBytes, NO_FIGURE } from '../../format';
import { showBox, useSession } from '../../session';
import { strings } from '../../strings';
import { Button, FactList, FailureNote, Inspector, TextField, useNowText } from '../../ui';
import { BoxHistory } from './box-history';
import styles from './box-inspector.module.css';
import { BoxStateMark } from './box-state';
import { formatSince } from './box-text';
import { removeBox, renameBox } from './fleet-actions';
import { RetryForm } from './retry-form';

const { fleet } = strings;

const WORDS = fleet.inspector;
/** Where an opened box starts, when one comes from the fleet. */
const FIRST_PANEL = 'run';

function RenameForm({ box, onDone }: { readonly box: FleetBox; readonly onDone: () => void }): ReactNode {
  const { home } = useSession();
  const [name, setName] = useState(box.name);
  const wanted = name.trim();
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (wanted === '' || wanted === box.name) onDone();
    else void renameBox(home, box.id, wanted).then((isDone) => (isDone ? onDone() : undefined));
  };
  return (
    <form className={styles['rename']} onSubmit={submit}>
      <TextField label={WORDS.renameField} value={name} onChange={setName} />
      <Button type="submit" disabled={wanted === ''}>
        {WORDS.renameSave}
      </Button>
    </form>
  );
}

function Actions({ box }: { readonly box: FleetBox }): ReactNode {
  const { home } = useSession();
  const live = useStore(home.engine, (state) => state.status.state === 'ok');
  const isShown = useStore(home.fleet, (state) => state.shown === box.id);
  const [isRenaming, setIsRenaming] = useState(false);
  return (
    <>
      <div className={styles['buttons']}>
        <Button variant="primary" title={WORDS.openHint} onClick={() => showBox(home, box.id, FIRST_PANEL)}>
          {WORDS.open}
        </Button>
        <Button disabled={!live} aria-expanded={isRenaming} onClick={() => setIsRenaming((is) => !is)}>
          {WORDS.rename}
        </Button>
        <Button disabled={!live} title={WORDS.removeHint(box.name)} onClick={() => removeBox(home, box)}>
          {WORDS.remove}
        </Button>
        {isShown && <span className={styles['inView']}>{WORDS.inView}</span>}
      </div>
      {isRenaming && <RenameForm box={box} onDone={() => setIsRenaming(false)} />}
    </>
  );
}

/** How it is, for how long, and if it is away, why. */
function State({ box }: { readonly box: FleetBox }): ReactNode {
  const since = useNowText((nowMs) => formatSince(nowMs - box.sinceMs));
  const isAway = box.state !== 'online';
  return (
    <div className={styles['stateLine']} role="status">
      <p>
        <BoxStateMark state={box.state} /> <span>{since}</span>
      </p>
      {isAway && box.reason !== undefined && <p className={styles['reason']}>{box.reason}</p>}
      {isAway && box.figures !== undefined && <p>{WORDS.lastKnown}</p>}
    </div>
  );
}

function Facts({ box }: { readonly box: FleetBox }): ReactNode {
  const { figures, url } = box;
  const facts = [
    [WORDS.facts.address, <code key="url">{url}</code>],
    [WORDS.facts.host, figures?.hostname ?? NO_FIGURE],
    [WORDS.facts.cpu, figures === undefined ? NO_FIGURE : WORDS.facts.cores(figures.cpu, figures.cores)],
    [WORDS.facts.version, figures?.version ?? NO_FIGURE],
  ] as const;
  return <FactList facts={facts} className={styles['facts']} />;
}

function Models({ box }: { readonly box: FleetBox }): ReactNode {
  const models = box.figures?.models ?? [];
  return (
    <section className={styles['section']}>
      <h3>{WORDS.models}</h3>
      {models.length === 0 && <p>{WORDS.noModels}</p>}
      <ul className={styles['models']}>
        {models.map(({ name, kind, bytes }) => (
          <li key={`${kind} ${name}`}>
            <code title={name}>{name}</code>
            <span>{WORDS.kinds[kind]}</span>
            <span>{formatBytes(bytes)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Alerts({ box }: { readonly box: FleetBox }): ReactNode {
  const alerts = box.figures?.alerts ?? [];
  return (
    <section className={styles['section']}>
      <h3>{WORDS.alerts}</h3>
      {alerts.length === 0 && <p>{WORDS.noAlerts}</p>}
      <ul className={styles['alerts']}>
        {[...new Set(alerts)].map((alert) => (
          <li key={alert}>{alert}</li>
        ))}
      </ul>
    </section>
  );
}

/** One box: what can be done with it, its figures over the last minutes, its models, what is wrong with it. */
export function BoxInspector({ box }: { readonly box: FleetBox }): ReactNode {
  const { home } = useSession();
  const fault = useStore(home.fleet, (state) => (state.fault?.box === box.id ? state.fault : undefined));
  const { select, setFault } = home.fleet.getState().actions;
  return (
    <Inspector
      title={box.name}
      closeLabel={WORDS.close}
      testId="box-inspector"
      onClose={() => select(undefined)}
    >
      <Actions box={box} />
      {fault !== undefined && <FailureNote {...fault} onDismiss={() => setFault(undefined)} />}
      <State box={box} />
      {box.state !== 'online' && <RetryForm box={box} />}
      {box.figures !== undefined && <Alerts box={box} />}
      {box.figures !== undefined && <BoxHistory box={box} />}
      {box.figures !== undefined && <Models box={box} />}
      <Facts box={box} />
    </Inspector>
  );
}
