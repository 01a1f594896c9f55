import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import type { ModelDetail, TensorSpec } from '../../../core/contract';
import { formatBytes, formatCount, formatDateTime, formatShape } from '../../format';
import { useSession } from '../../session';
import { strings } from '../../strings';
import { Button, CloseIcon, FailureNote, Help } from '../../ui';
import { LayersBar } from './layers-bar';
import { LayersTable } from './layers-table';
import styles from './model-inspector.module.css';
import { ModelOperations } from './model-operations';
import { useModelDetail } from './use-model-detail';

const STRINGS = strings.models;

const WORDS = STRINGS.inspector;

function Tensors({ specs }: { readonly specs: readonly TensorSpec[] }): ReactNode {
  return specs.map((spec) => (
    <code key={spec.name} className={styles['tensor']} title={spec.name}>
      {spec.name} <span>{`${spec.dtype} ${formatShape(spec.shape)}`}</span>
    </code>
  ));
}

function Facts({ detail }: { readonly detail: ModelDetail }): ReactNode {
  return (
    <dl className={styles['facts']}>
      <dt>
        <Help id="models.weights">{STRINGS.columns.weights}</Help>
      </dt>
      <dd>{formatBytes(detail.weightBytes)}</dd>
      <dt>
        <Help id="models.count">{STRINGS.columns.layers}</Help>
      </dt>
      <dd>{formatCount(detail.layers)}</dd>
      <dt>
        <Help id="models.largest">{STRINGS.columns.largest}</Help>
      </dt>
      <dd>{formatBytes(detail.largestLayerBytes)}</dd>
      <dt>
        <Help id="models.minimum">{STRINGS.columns.minimum}</Help>
      </dt>
      <dd>{formatBytes(detail.minimumBytes)}</dd>
      <dt>{WORDS.inputs}</dt>
      <dd>
        <Tensors specs={detail.inputs} />
      </dd>
      <dt>{WORDS.outputs}</dt>
      <dd>
        <Tensors specs={detail.outputs} />
      </dd>
      <dt>{WORDS.compiledFor}</dt>
      <dd>{STRINGS.compiledWith(detail.instructionSet, detail.runtimeVersion, detail.provider)}</dd>
      <dt>{WORDS.store}</dt>
      <dd className={styles['path']} title={detail.storePath}>
        {formatBytes(detail.storeBytes)} <code>{detail.storePath}</code>
      </dd>
      <dt>{WORDS.source}</dt>
      <dd className={styles['path']} title={detail.sourceFile}>
        <code>{detail.sourceFile}</code>
      </dd>
      <dt>{WORDS.imported}</dt>
      <dd>{formatDateTime(detail.importedAt)}</dd>
    </dl>
  );
}

function Loaded({ detail }: { readonly detail: ModelDetail }): ReactNode {
  return (
    <>
      <div className={styles['summary']}>
        {detail.stateReason !== undefined && <p className={styles['reason']}>{detail.stateReason}</p>}
        <ModelOperations detail={detail} />
        <Facts detail={detail} />
        {detail.notes.length > 0 && (
          <>
            <h3>{WORDS.notes}</h3>
            <ul className={styles['notes']}>
              {detail.notes.map((note) => (
                <li key={note}>{note}</li>
              ))}
            </ul>
          </>
        )}
        <h3>
          <Help id="models.layers">{WORDS.bytesPerLayer}</Help>
        </h3>
        <LayersBar layers={detail.layerList} />
      </div>
      <LayersTable layers={detail.layerList} />
    </>
  );
}

/** Everything about one model: facts, checks, layers. */
export function ModelInspector({ name }: { readonly name: string }): ReactNode {
  const { library } = useSession();
  const live = useStore(useSession().engine, (state) => state.status.state === 'ok');
  const state = useModelDetail(name);
  return (
    <aside className={styles['inspector']} data-testid="model-inspector" aria-label={name}>
      <header className={styles['head']}>
        <h2 title={name}>{name}</h2>
        <Button
          variant="ghost"
          aria-label={WORDS.close}
          onClick={() => library.getState().actions.select(undefined)}
        >
          <CloseIcon />
        </Button>
      </header>
      {state.state === 'loading' && (
        <p className={styles['loading']}>{live ? WORDS.loading : STRINGS.waiting}</p>
      )}
      {state.state === 'failed' && <FailureNote title={WORDS.failed} error={state.error} />}
      {state.state === 'loaded' && <Loaded detail={state.detail} />}
    </aside>
  );
}
