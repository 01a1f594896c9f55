import type { KeyboardEvent, ReactNode } from 'react';
import { useStore } from 'zustand';

import type { ModelSummary } from '../../../core/contract';
import { formatBytes, formatCount } from '../../format';
import { useSession } from '../../session';
import styles from './models-table.module.css';
import { STRINGS } from './strings';

const COLUMNS = STRINGS.columns;

/** Arrow keys move between rows, Enter and Space open the inspector, Escape closes it. */
function moveFocus(event: KeyboardEvent<HTMLTableRowElement>): void {
  const row = event.currentTarget;
  const target =
    event.key === 'ArrowDown'
      ? row.nextElementSibling
      : event.key === 'ArrowUp'
        ? row.previousElementSibling
        : null;
  if (!(target instanceof HTMLElement)) return;
  event.preventDefault();
  target.focus();
}

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
      onKeyDown={(event) => {
        if (event.key === 'Enter' || event.key === ' ') {
          event.preventDefault();
          select(model.name);
        } else if (event.key === 'Escape') select(undefined);
        else moveFocus(event);
      }}
    >
      <td className={styles['name']} title={model.name}>
        {model.name}
      </td>
      <td className={styles['wide']}>{STRINGS.tasks[model.task.kind]}</td>
      <td className={styles['number']}>{formatBytes(model.weightBytes)}</td>
      <td className={styles['number']}>{formatCount(model.layers)}</td>
      <td className={`${styles['number']} ${styles['wide']}`}>{formatBytes(model.largestLayerBytes)}</td>
      <td className={styles['number']}>{formatBytes(model.minimumBytes)}</td>
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
    <div className={styles['scroll']}>
      <table className={styles['table']} data-testid="models-list" role="grid" aria-label={STRINGS.title}>
        <thead>
          <tr>
            <th scope="col">{COLUMNS.name}</th>
            <th scope="col" className={styles['wide']}>
              {COLUMNS.task}
            </th>
            <th scope="col" className={styles['number']} title={STRINGS.hints.weights}>
              {COLUMNS.weights}
            </th>
            <th scope="col" className={styles['number']}>
              {COLUMNS.layers}
            </th>
            <th scope="col" className={`${styles['number']} ${styles['wide']}`}>
              {COLUMNS.largest}
            </th>
            <th scope="col" className={styles['number']} title={STRINGS.hints.minimum}>
              {COLUMNS.minimum}
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
