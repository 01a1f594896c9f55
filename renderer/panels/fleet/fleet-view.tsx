import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import type { FleetBox } from '../../../core/contract';
import { useSession } from '../../session';
import { strings } from '../../strings';
import { Button, EmptyState, FailureNote } from '../../ui';
import { AddBoxForm } from './add-box-form';
import { BoxInspector } from './box-inspector';
import { FleetBar } from './fleet-bar';
import { FleetTable } from './fleet-table';
import styles from './fleet-view.module.css';
import { FleetFoot } from './push-form';
import { PushList } from './push-list';
import { RemovedBox } from './removed-box';
import { useBoxes, useFleetRows } from './use-fleet-rows';

const WORDS = strings.fleet;

/** A failure that is about no box; those of a box are told in its inspector. */
function Fault(): ReactNode {
  const { fleet } = useSession();
  const fault = useStore(fleet, (state) => state.fault);
  const selected = useStore(fleet, (state) => state.selected);
  if (fault === undefined || (fault.box !== undefined && fault.box === selected)) return null;
  return (
    <div className={styles['fault']}>
      <FailureNote {...fault} onDismiss={() => fleet.getState().actions.setFault(undefined)} />
    </div>
  );
}

function NoBoxes(): ReactNode {
  const { home } = useSession();
  const live = useStore(home.engine, (state) => state.status.state === 'ok');
  const isAdding = useStore(home.fleet, (state) => state.isAdding);
  const add = (): void => home.fleet.getState().actions.setAdding(true);
  return (
    <EmptyState
      title={WORDS.emptyTitle}
      action={
        !isAdding && (
          <Button variant="primary" disabled={!live} onClick={add}>
            {WORDS.add.open}
          </Button>
        )
      }
    >
      {WORDS.empty}
    </EmptyState>
  );
}

function Boxes({ boxes }: { readonly boxes: readonly FleetBox[] }): ReactNode {
  const { fleet } = useSession();
  const rows = useFleetRows(boxes);
  const { setWords, setFilter } = fleet.getState().actions;
  return (
    <>
      <FleetTable rows={rows} />
      {rows.length === 0 && (
        <p className={styles['none']}>
          {WORDS.noneMatch}
          <Button
            variant="ghost"
            onClick={() => {
              setWords('');
              setFilter('all');
            }}
          >
            {WORDS.clearFilter}
          </Button>
        </p>
      )}
      <PushList />
      <FleetFoot shown={rows.length} all={boxes.length} />
    </>
  );
}

/** Boxes before they first came, or why they don't come. */
function Waiting(): ReactNode {
  const { fleet } = useSession();
  const error = useStore(fleet, (state) => state.loadError);
  if (error === undefined) return <EmptyState title={WORDS.title}>{WORDS.waiting}</EmptyState>;
  return (
    <div className={styles['fault']}>
      <FailureNote title={WORDS.loadFailed} error={error} />
    </div>
  );
}

/** Other machines that run `sluice host`: how each one is, and the way to it. It is this machine's always. */
export function FleetView(): ReactNode {
  const { home } = useSession();
  const boxes = useBoxes();
  const live = useStore(home.engine, (state) => state.status.state === 'ok');
  const isAdding = useStore(home.fleet, (state) => state.isAdding);
  const selected = useStore(home.fleet, ({ selected: id, boxes: all, removing }) =>
    id === undefined || id === removing?.id ? undefined : all?.get(id),
  );
  return (
    <div className={styles['view']} data-live={live}>
      <div className={styles['main']}>
        {boxes !== undefined && boxes.length > 0 && <FleetBar boxes={boxes} />}
        <RemovedBox />
        {isAdding && <AddBoxForm />}
        <Fault />
        {boxes === undefined && <Waiting />}
        {boxes !== undefined && (boxes.length === 0 ? <NoBoxes /> : <Boxes boxes={boxes} />)}
      </div>
      {selected !== undefined && <BoxInspector key={selected.id} box={selected} />}
    </div>
  );
}
