import { useState } from 'react';
import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import type { LabDataset } from '../../../../core/contract';
import { formatBytes } from '../../../format';
import { useSession } from '../../../session';
import { strings } from '../../../strings';
import { Button, EmptyState } from '../../../ui';
import { useNow } from '../../../ui/use-now';
import { Answered, FaultNote, useChosen, useLabAction } from '../shelf';
import shelf from '../shelf/shelf.module.css';
import { useLabRequest } from '../use-lab-request';
import { DatasetInspector } from './dataset-inspector';
import { DatasetsTable } from './datasets-table';
import { PushForm } from './push-form';
import { PushJobs } from './push-jobs';

const STRINGS = strings.lab.datasets;

function Bar(props: {
  readonly count: number;
  readonly isPushing: boolean;
  readonly onPush: () => void;
}): ReactNode {
  const { client, engine } = useSession();
  const live = useStore(engine, (state) => state.status.state === 'ok');
  const action = useLabAction();
  const [freedBytes, setFreedBytes] = useState<number>();
  const collect = (): void => {
    setFreedBytes(undefined);
    void action.attempt(STRINGS.collectFailed, async () => {
      setFreedBytes((await client.request('lab.collectDatasets', {})).freedBytes);
    });
  };
  const freed =
    freedBytes === undefined
      ? ''
      : freedBytes === 0
        ? STRINGS.collectedNone
        : STRINGS.collected(formatBytes(freedBytes));
  return (
    <>
      <header className={shelf['bar']}>
        <Button variant="primary" disabled={!live || props.isPushing} onClick={props.onPush}>
          {STRINGS.push}
        </Button>
        <p>{STRINGS.count(props.count)}</p>
        <p className={shelf['end']} role="status" data-testid="freed">
          {freed}
        </p>
        <Button title={STRINGS.collectHint} disabled={!live || action.isBusy} onClick={collect}>
          {action.isBusy ? STRINGS.collecting : STRINGS.collect}
        </Button>
      </header>
      <FaultNote action={action} />
    </>
  );
}

interface ShelfProps {
  readonly datasets: readonly LabDataset[];
  readonly onChanged: () => void;
}

function Shelf({ datasets, onChanged }: ShelfProps): ReactNode {
  const [chosen, choose] = useChosen('datasets');
  const [isPushing, setIsPushing] = useState(false);
  const nowMs = useNow();
  const selected = datasets.find(({ name }) => name === chosen);
  const isEmpty = datasets.length === 0;
  const form = isPushing && (
    <PushForm
      datasets={datasets}
      name={selected?.name ?? ''}
      onClose={() => setIsPushing(false)}
      onPushed={(name) => {
        choose(name);
        onChanged();
      }}
    />
  );
  return (
    <div className={shelf['split']}>
      <div className={shelf['column']}>
        {!isEmpty && <Bar count={datasets.length} isPushing={isPushing} onPush={() => setIsPushing(true)} />}
        {form}
        <PushJobs />
        {isEmpty ? (
          <EmptyState
            title={STRINGS.emptyTitle}
            action={
              !isPushing && (
                <Button variant="primary" onClick={() => setIsPushing(true)}>
                  {STRINGS.push}
                </Button>
              )
            }
          >
            {STRINGS.empty}
          </EmptyState>
        ) : (
          <DatasetsTable datasets={datasets} selected={selected?.name} nowMs={nowMs} onSelect={choose} />
        )}
      </div>
      {/* In a narrow window it would lie over the form's fields. */}
      {selected !== undefined && !isPushing && (
        <DatasetInspector
          key={selected.name}
          dataset={selected}
          nowMs={nowMs}
          onClose={() => choose(undefined)}
          onChanged={onChanged}
        />
      )}
    </div>
  );
}

/** Datasets and their versions. */
export function DatasetsView(): ReactNode {
  const answer = useLabRequest('lab.datasets', {}, 'datasets');
  return (
    <div className={shelf['shelf']} data-testid="lab-datasets">
      <Answered answer={answer} loading={STRINGS.loading} failedTitle={STRINGS.failed}>
        {(datasets) => <Shelf datasets={datasets} onChanged={answer.askAgain} />}
      </Answered>
    </div>
  );
}
