import { useState } from 'react';
import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import type { LanguageModelSummary } from '../../../core/contract';
import { formatBytes, formatCount, formatFixed } from '../../format';
import { useSession } from '../../session';
import { strings } from '../../strings';
import { Button, Help, RECORD_TABLE } from '../../ui';
import { AddModel, createConversation, removeLanguageModel, verifyLanguageModel } from '../language';
import styles from './language-models.module.css';
import { VerificationNote } from './model-operations';

const STRINGS = strings.models;

const WORDS = STRINGS.language;
const COLUMNS = WORDS.columns;
const COLUMN_COUNT = Object.keys(COLUMNS).length;

/** Asks in place before a model goes, and names what goes. */
function RemoveQuestion(props: {
  readonly model: LanguageModelSummary;
  readonly onDone: () => void;
}): ReactNode {
  const session = useSession();
  const { name, weightBytes, sourceFile } = props.model;
  return (
    <div
      className={styles['question']}
      role="group"
      aria-label={WORDS.remove}
      onKeyDown={(event) => {
        if (event.key === 'Escape') props.onDone();
      }}
    >
      <p>{WORDS.removeAsk(name, formatBytes(weightBytes), sourceFile)}</p>
      <Button
        variant="danger"
        onClick={() => {
          props.onDone();
          void removeLanguageModel(session, name);
        }}
      >
        {WORDS.removeYes}
      </Button>
      <Button autoFocus onClick={props.onDone}>
        {WORDS.removeNo}
      </Button>
    </div>
  );
}

function Actions(props: { readonly model: LanguageModelSummary; readonly onRemove: () => void }): ReactNode {
  const session = useSession();
  const { name, state } = props.model;
  const live = useStore(session.engine, (engine) => engine.status.state === 'ok');
  const verification = useStore(session.language, (language) => language.verifications[name]);
  const begin = (): void => {
    session.layout.getState().actions.setPanel('language');
    void createConversation(session, name);
  };
  return (
    <span className={styles['actions']}>
      <Button variant="ghost" disabled={!live || state !== 'ready'} onClick={begin}>
        {WORDS.chat}
      </Button>
      <Button
        variant="ghost"
        disabled={!live || verification?.state === 'running'}
        onClick={() => void verifyLanguageModel(session, name)}
      >
        {WORDS.verify}
      </Button>
      <Button variant="ghost" disabled={!live} onClick={props.onRemove}>
        {WORDS.remove}
      </Button>
    </span>
  );
}

function ModelRows({ model }: { readonly model: LanguageModelSummary }): ReactNode {
  const { language } = useSession();
  const [isAsking, setIsAsking] = useState(false);
  const verification = useStore(language, (state) => state.verifications[model.name]);
  return (
    <>
      <tr data-testid="language-model-row" data-model={model.name} data-state={model.state}>
        <td className={styles['name']} title={`${model.name}, ${model.sourceFile}`}>
          {model.name}
        </td>
        <td className={styles['wide']}>{model.architecture}</td>
        <td className={styles['mid']}>{model.quantisation}</td>
        <td className={`${RECORD_TABLE.number} ${styles['wide']}`}>
          {`${formatFixed(model.parameters / 1e6, 0)}\u2009M`}
        </td>
        <td className={RECORD_TABLE.number}>{formatBytes(model.weightBytes)}</td>
        <td className={`${RECORD_TABLE.number} ${styles['wide']}`}>{formatCount(model.layers)}</td>
        <td className={`${RECORD_TABLE.number} ${styles['mid']}`}>{formatCount(model.contextLength)}</td>
        <td className={`${RECORD_TABLE.number} ${styles['wide']}`}>
          {formatBytes(model.cacheBytesPerToken)}
        </td>
        <td className={styles['state']} title={model.stateReason}>
          {WORDS.states[model.state]}
        </td>
        <td>
          <Actions model={model} onRemove={() => setIsAsking(true)} />
        </td>
      </tr>
      {(isAsking || verification !== undefined) && (
        <tr>
          <td colSpan={COLUMN_COUNT} className={styles['below']}>
            {isAsking && <RemoveQuestion model={model} onDone={() => setIsAsking(false)} />}
            {verification !== undefined && <VerificationNote verification={verification} />}
          </td>
        </tr>
      )}
    </>
  );
}

function Table({ models }: { readonly models: readonly LanguageModelSummary[] }): ReactNode {
  const number = RECORD_TABLE.number;
  const wideNumber = `${number} ${styles['wide']}`;
  return (
    <div className={styles['scroll']}>
      <table className={`${RECORD_TABLE.table} ${styles['table']}`} aria-label={WORDS.title}>
        <thead>
          <tr>
            <th scope="col">{COLUMNS.name}</th>
            <th scope="col" className={styles['wide']}>
              {COLUMNS.architecture}
            </th>
            <th scope="col" className={styles['mid']} title={WORDS.hints.quantisation}>
              {COLUMNS.quantisation}
            </th>
            <th scope="col" className={wideNumber}>
              <Help id="models.parameters">{COLUMNS.parameters}</Help>
            </th>
            <th scope="col" className={number}>
              <Help id="models.weights">{COLUMNS.weights}</Help>
            </th>
            <th scope="col" className={wideNumber}>
              <Help id="models.count">{COLUMNS.layers}</Help>
            </th>
            <th scope="col" className={`${number} ${styles['mid']}`}>
              <Help id="models.context">{COLUMNS.context}</Help>
            </th>
            <th scope="col" className={wideNumber}>
              <Help id="models.cache">{COLUMNS.cache}</Help>
            </th>
            <th scope="col">{COLUMNS.state}</th>
            <th scope="col">{COLUMNS.actions}</th>
          </tr>
        </thead>
        <tbody>
          {models.map((model) => (
            <ModelRows key={model.name} model={model} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The library's language models, which are no networks to run but talk in the Language panel. */
export function LanguageModels(): ReactNode {
  const { language } = useSession();
  const models = useStore(language, (state) => state.models);
  if (models === undefined) return null;
  return (
    <section className={styles['section']} aria-label={WORDS.title} data-testid="language-models">
      <header>
        <h2>{WORDS.title}</h2>
        {models.length === 0 && <p>{WORDS.none}</p>}
      </header>
      <AddModel look="bar" />
      {models.length > 0 && <Table models={models} />}
    </section>
  );
}
