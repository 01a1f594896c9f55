import type { ReactNode } from 'react';

import type { LabDataset } from '../../../../core/contract';
import { formatBytes, formatCount, NO_FIGURE } from '../../../format';
import { strings } from '../../../strings';
import { Help, onRowKey, RECORD_TABLE } from '../../../ui';
import { formatWhen } from '../lab-format';
import styles from './datasets.module.css';

const STRINGS = strings.lab.datasets;

const COLUMNS = STRINGS.columns;

interface DatasetsTableProps {
  readonly datasets: readonly LabDataset[];
  readonly selected: string | undefined;
  readonly nowMs: number;
  readonly onSelect: (name: string | undefined) => void;
}

interface RowProps {
  readonly dataset: LabDataset;
  readonly isSelected: boolean;
  readonly isTabStop: boolean;
  readonly nowMs: number;
  readonly onSelect: DatasetsTableProps['onSelect'];
}

function Row({ dataset, isSelected, isTabStop, nowMs, onSelect }: RowProps): ReactNode {
  const { name, owner, visibility, versions, tags, description } = dataset;
  const newest = versions[0];
  return (
    <tr
      data-testid="dataset-row"
      aria-selected={isSelected}
      tabIndex={isTabStop ? 0 : -1}
      onClick={() => onSelect(name)}
      onKeyDown={(event) =>
        onRowKey(
          event,
          () => onSelect(name),
          () => onSelect(undefined),
        )
      }
    >
      <td className={styles['name']} title={description || name}>
        {name}
      </td>
      <td className={RECORD_TABLE.number}>{versions.length}</td>
      <td className={RECORD_TABLE.number}>{newest === undefined ? NO_FIGURE : formatBytes(newest.bytes)}</td>
      <td className={RECORD_TABLE.number}>{newest === undefined ? NO_FIGURE : formatCount(newest.files)}</td>
      <td className={RECORD_TABLE.number}>
        {newest === undefined ? NO_FIGURE : formatWhen(newest.createdMs, nowMs)}
      </td>
      <td>{owner}</td>
      <td>{STRINGS.visibilities[visibility]}</td>
      <td className={styles['tags']} title={tags.join(', ')}>
        {tags.join(', ')}
      </td>
    </tr>
  );
}

/** One row a dataset; choosing one opens the inspector. */
export function DatasetsTable({ datasets, selected, nowMs, onSelect }: DatasetsTableProps): ReactNode {
  const tabStop = datasets.some(({ name }) => name === selected) ? selected : datasets[0]?.name;
  const number = RECORD_TABLE.number;
  return (
    <div className={RECORD_TABLE.scroll}>
      <table className={`${RECORD_TABLE.table} ${styles['table']}`} role="grid" aria-label={STRINGS.list}>
        <thead>
          <tr>
            <th scope="col">{COLUMNS.name}</th>
            <th scope="col" className={number}>
              <Help id="lab.versions">{COLUMNS.versions}</Help>
            </th>
            <th scope="col" className={number}>
              <Help id="lab.size">{COLUMNS.size}</Help>
            </th>
            <th scope="col" className={number}>
              <Help id="lab.files">{COLUMNS.files}</Help>
            </th>
            <th scope="col" className={number}>
              <Help id="lab.changed">{COLUMNS.pushed}</Help>
            </th>
            <th scope="col">{COLUMNS.owner}</th>
            <th scope="col">{COLUMNS.visibility}</th>
            <th scope="col">{COLUMNS.tags}</th>
          </tr>
        </thead>
        <tbody>
          {datasets.map((dataset) => (
            <Row
              key={dataset.name}
              dataset={dataset}
              isSelected={dataset.name === selected}
              isTabStop={dataset.name === tabStop}
              nowMs={nowMs}
              onSelect={onSelect}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}
