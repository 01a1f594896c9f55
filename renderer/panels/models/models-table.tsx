import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import type { ModelSummary } from '../../../core/contract';
import { formatBytes, formatCount } from '../../format';
import { useSession } from '../../session';
import { strings } from '../../strings';
import { Help, onRowKey, RECORD_TABLE } from '../../ui';
import styles from './models-table.module.css';

const STRINGS = strings.models;

const COLUMNS = STRINGS.columns;

interface ModelRowProps {
  readonly model: ModelSummary;
  readonly selected: boolean;
  /** Whether Tab stops at this row. */
  readonly tabStop: boolean;
}

function ModelRow({ model, selected, tabStop }: ModelRowProps): ReactNode {
  const { library } = useSession();
  const { select } = library.getState().actions;
  return (
    <tr
      data-testid="model-row"
      data-model={model.name}
      data-state={model.state}
      aria-selected={selected}
      tabIndex={tabStop ? 0 : -1}
      onClick={() => select(model.name)}
      onKeyDown={(event) =>
        onRowKey(
          event,
          () => select(model.name),
          () => select(undefined),
        )
      }
    >
      <td className={styles['name']} title={model.name}>
        {model.name}
      </td>
      <td className={styles['wide']}>{STRINGS.tasks[model.task.kind]}</td>
      <td className={RECORD_TABLE.number}>{formatBytes(model.weightBytes)}</td>
      <td className={RECORD_TABLE.number}>{formatCount(model.layers)}</td>
      <td className={`${RECORD_TABLE.number} ${styles['wide']}`}>{formatBytes(model.largestLayerBytes)}</td>
      <td className={RECORD_TABLE.number}>{formatBytes(model.minimumBytes)}</td>
      <td className={styles['state']} title={model.stateReason}>
        {STRINGS.states[model.state]}
      </td>
    </tr>
  );
}

/** The library. Choosing a row opens the inspector. */
export function ModelsTable({ models }: { readonly models: readonly ModelSummary[] }): ReactNode {
  const { library } = useSession();
  const selected = useStore(library, (state) => state.selected);
  const tabStop = models.some(({ name }) => name === selected) ? selected : models[0]?.name;
  return (
    <div className={RECORD_TABLE.scroll}>
      <table
        className={`${RECORD_TABLE.table} ${styles['table']}`}
        data-testid="models-list"
        role="grid"
        aria-label={STRINGS.title}
      >
        <thead>
          <tr>
            <th scope="col">{COLUMNS.name}</th>
            <th scope="col" className={styles['wide']}>
              {COLUMNS.task}
            </th>
            <th scope="col" className={RECORD_TABLE.number}>
              <Help id="models.weights">{COLUMNS.weights}</Help>
            </th>
            <th scope="col" className={RECORD_TABLE.number}>
              <Help id="models.count">{COLUMNS.layers}</Help>
            </th>
            <th scope="col" className={`${RECORD_TABLE.number} ${styles['wide']}`}>
              <Help id="models.largest">{COLUMNS.largest}</Help>
            </th>
            <th scope="col" className={RECORD_TABLE.number}>
              <Help id="models.minimum">{COLUMNS.minimum}</Help>
            </th>
            <th scope="col">{COLUMNS.state}</th>
          </tr>
        </thead>
        <tbody>
          {models.map((model) => (
            <ModelRow
              key={model.name}
              model={model}
              selected={model.name === selected}
              tabStop={model.name === tabStop}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}
