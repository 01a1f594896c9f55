import { useState } from 'react';
import type { ReactNode } from 'react';

import type { LabDataset } from '../../../../core/contract';
import { formatBytes } from '../../../format';
import { strings } from '../../../strings';
import { Inspector } from '../../../ui';
import { formatWhen } from '../lab-format';
import shelf from '../shelf/shelf.module.css';
import { DatasetEdit } from './dataset-edit';
import styles from './datasets.module.css';
import { VersionSection } from './version-section';

const STRINGS = strings.lab.datasets;

const WORDS = STRINGS.inspector;

interface DatasetInspectorProps {
  readonly dataset: LabDataset;
  readonly nowMs: number;
  readonly onClose: () => void;
  /** The list is asked again. */
  readonly onChanged: () => void;
}

/** Everything about a dataset: what it is, its versions, and what is in the one that is chosen. */
export function DatasetInspector({ dataset, nowMs, onClose, onChanged }: DatasetInspectorProps): ReactNode {
  const [chosen, setChosen] = useState<number>();
  const { name, versions } = dataset;
  const version = versions.find(({ number }) => number === chosen) ?? versions[0];
  return (
    <Inspector title={name} closeLabel={WORDS.close} onClose={onClose} testId="dataset-inspector">
      <DatasetEdit dataset={dataset} onEdited={onChanged} />
      <section className={shelf['section']} aria-label={WORDS.versions}>
        <h3>{WORDS.versions}</h3>
        <ul className={styles['versions']}>
          {versions.map(({ number, bytes, createdMs, hasHidden }) => (
            <li key={number}>
              <button
                type="button"
                aria-pressed={number === version?.number}
                onClick={() => setChosen(number)}
              >
                <span className={shelf['mono']}>{WORDS.versionRow(number)}</span>
                <span className={styles['hiddenMark']} title={hasHidden ? WORDS.hiddenHint : undefined}>
                  {hasHidden ? WORDS.hidden : ''}
                </span>
                <span>{formatBytes(bytes)}</span>
                <span className={shelf['muted']}>{formatWhen(createdMs, nowMs)}</span>
              </button>
            </li>
          ))}
        </ul>
      </section>
      {version !== undefined && (
        <section className={shelf['section']} aria-label={`${WORDS.version} ${version.number}`}>
          <VersionSection
            key={version.number}
            dataset={dataset}
            version={version}
            nowMs={nowMs}
            onRemoved={onChanged}
          />
        </section>
      )}
    </Inspector>
  );
}
