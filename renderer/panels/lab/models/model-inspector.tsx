import { useState } from 'react';
import type { ReactNode } from 'react';

import type { LabDeployment, LabModel, LabModelVersion } from '../../../../core/contract';
import { strings } from '../../../strings';
import { FactList, Inspector } from '../../../ui';
import { formatWhen } from '../lab-format';
import { RunLink } from '../shelf';
import shelf from '../shelf/shelf.module.css';
import { Aliases } from './aliases';
import styles from './models.module.css';
import { PublishForm } from './publish-form';

const STRINGS = strings.lab.models;

const WORDS = STRINGS.inspector;

function VersionFacts({ version, nowMs }: { readonly version: LabModelVersion; readonly nowMs: number }) {
  const { runId, runName, source, createdMs, stage, description } = version;
  const isStaged = stage !== '' && stage !== 'None';
  return (
    <FactList
      className={shelf['facts']}
      facts={[
        [
          WORDS.run,
          runId === undefined ? (
            WORDS.noRun
          ) : (
            <RunLink key="run" runId={runId} name={runName ?? runId.slice(0, 8)} />
          ),
        ],
        [WORDS.created, formatWhen(createdMs, nowMs), 'lab.changed'],
        ...(isStaged ? [[WORDS.stage, stage] as const] : []),
        ...(description === '' ? [] : [[WORDS.about, description] as const]),
        [WORDS.source, <code key="source">{source}</code>],
      ]}
    />
  );
}

interface ModelInspectorProps {
  readonly model: LabModel;
  readonly deployments: readonly LabDeployment[];
  readonly nowMs: number;
  readonly onClose: () => void;
  readonly onChanged: () => void;
  readonly onPublished: () => void;
}

/** The versions of a model; of the one that is chosen, where it is from, its names, and the way to an endpoint. */
export function ModelInspector(props: ModelInspectorProps): ReactNode {
  const { model, deployments, nowMs, onClose, onChanged, onPublished } = props;
  const [chosen, setChosen] = useState<number>();
  const version = model.versions.find((one) => one.version === chosen) ?? model.versions[0];
  const served = (number: number): string =>
    deployments
      .filter(
        ({ model: name, stable, canary }) =>
          name === model.name && (stable.version === number || canary?.version === number),
      )
      .map(({ endpointName }) => endpointName)
      .join(', ');
  return (
    <Inspector title={model.name} closeLabel={WORDS.close} onClose={onClose} testId="lab-model-inspector">
      {model.description !== '' && <p className={shelf['muted']}>{model.description}</p>}
      <ul className={styles['versions']} aria-label={WORDS.versions}>
        {model.versions.map(({ version: number, aliases, createdMs }) => (
          <li key={number}>
            <button
              type="button"
              aria-pressed={number === version?.version}
              onClick={() => setChosen(number)}
            >
              <span>{number}</span>
              <span className={styles['versionAliases']}>{aliases.join(', ')}</span>
              <span className={shelf['muted']} title={served(number) && WORDS.deployed(served(number))}>
                {served(number)}
              </span>
              <span className={shelf['muted']}>{formatWhen(createdMs, nowMs)}</span>
            </button>
          </li>
        ))}
      </ul>
      {version !== undefined && (
        <div key={version.version} className={styles['version']}>
          <section className={shelf['section']} aria-label={WORDS.version(version.version)}>
            <h3>{WORDS.version(version.version)}</h3>
            <VersionFacts version={version} nowMs={nowMs} />
          </section>
          <section className={shelf['section']} aria-label={WORDS.aliases}>
            <Aliases model={model} version={version} onChanged={onChanged} />
          </section>
          <section className={shelf['section']} aria-label={STRINGS.publish.title}>
            <h3>{STRINGS.publish.title}</h3>
            <PublishForm
              model={model.name}
              version={version.version}
              deployments={deployments}
              onDone={onPublished}
            />
          </section>
        </div>
      )}
    </Inspector>
  );
}
