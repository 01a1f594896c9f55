import type { ReactNode } from 'react';

import type { LabModel } from '../../../../core/contract';
import { NO_FIGURE } from '../../../format';
import { strings } from '../../../strings';
import { Help, onRowKey, RECORD_TABLE } from '../../../ui';
import { formatWhen } from '../lab-format';
import { RunLink } from '../shelf';
import styles from './models.module.css';

const STRINGS = strings.lab.models;

const COLUMNS = STRINGS.columns;

interface ModelsTableProps {
  readonly models: readonly LabModel[];
  readonly selected: string | undefined;
  readonly nowMs: number;
  readonly onSelect: (name: string | undefined) => void;
}

/** `champion 3, shadow 4`. */
export function aliasesText({ versions }: LabModel): string {
  return versions.flatMap(({ version, aliases }) => aliases.map((alias) => `${alias} ${version}`)).join(', ');
}

/** One row a model; choosing one opens the inspector. */
export function ModelsTable({ models, selected, nowMs, onSelect }: ModelsTableProps): ReactNode {
  const tabStop = models.some(({ name }) => name === selected) ? selected : models[0]?.name;
  const number = RECORD_TABLE.number;
  return (
    <div className={RECORD_TABLE.scroll}>
      <table className={`${RECORD_TABLE.table} ${styles['table']}`} role="grid" aria-label={STRINGS.list}>
        <thead>
          <tr>
            <th scope="col">{COLUMNS.name}</th>
            <th scope="col" className={number}>
              <Help id="lab.newest">{COLUMNS.newest}</Help>
            </th>
            <th scope="col">{COLUMNS.aliases}</th>
            <th scope="col">{COLUMNS.run}</th>
            <th scope="col" className={number}>
              <Help id="lab.changed">{COLUMNS.updated}</Help>
            </th>
            <th scope="col">{COLUMNS.about}</th>
          </tr>
        </thead>
        <tbody>
          {models.map((model) => {
            const { name, versions, updatedMs, description } = model;
            const newest = versions[0];
            return (
              <tr
                key={name}
                data-testid="lab-model-row"
                aria-selected={name === selected}
                tabIndex={name === tabStop ? 0 : -1}
                onClick={() => onSelect(name)}
                onKeyDown={(event) =>
                  onRowKey(
                    event,
                    () => onSelect(name),
                    () => onSelect(undefined),
                  )
                }
              >
                <td className={styles['name']} title={name}>
                  {name}
                </td>
                <td className={number}>{newest?.version ?? NO_FIGURE}</td>
                <td className={styles['aliases']} title={aliasesText(model)}>
                  {aliasesText(model)}
                </td>
                <td className={styles['run']}>
                  {newest?.runId === undefined ? (
                    NO_FIGURE
                  ) : (
                    <RunLink runId={newest.runId} name={newest.runName ?? newest.runId.slice(0, 8)} />
                  )}
                </td>
                <td className={number}>{formatWhen(updatedMs, nowMs)}</td>
                <td className={styles['about']} title={description}>
                  {description}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
