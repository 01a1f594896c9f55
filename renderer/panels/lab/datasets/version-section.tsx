import { useState } from 'react';
import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import type { LabDataset, LabDatasetVersion } from '../../../../core/contract';
import { formatBytes } from '../../../format';
import { useSession } from '../../../session';
import { strings } from '../../../strings';
import { Button, FactList } from '../../../ui';
import { formatWhen } from '../lab-format';
import { Answered, AskStrip, FaultNote, useLabAction } from '../shelf';
import shelf from '../shelf/shelf.module.css';
import { useLabRequest } from '../use-lab-request';
import styles from './datasets.module.css';
import { useVerify, VerifyNote } from './verify-version';

const STRINGS = strings.lab.datasets;

const WORDS = STRINGS.inspector;

interface VersionProps {
  readonly dataset: LabDataset;
  readonly version: LabDatasetVersion;
  readonly nowMs: number;
  readonly onRemoved: () => void;
}

function Files({ name, version }: { readonly name: string; readonly version: number }): ReactNode {
  const answer = useLabRequest('lab.datasetFiles', { name, version }, 'datasets');
  return (
    <Answered answer={answer} loading={WORDS.loadingFiles} failedTitle={WORDS.failedFiles}>
      {(files) =>
        files.length === 0 ? (
          <p className={shelf['muted']}>{WORDS.noFiles}</p>
        ) : (
          // Focusable, so that a long list scrolls by keyboard.
          <div className={styles['files']} role="region" aria-label={WORDS.files} tabIndex={0}>
            <ul>
              {files.map(({ path, bytes, isHidden }) => (
                <li key={path} data-hidden={isHidden}>
                  <span title={path}>{path}</span>
                  <span>{isHidden ? WORDS.isHidden : formatBytes(bytes)}</span>
                </li>
              ))}
            </ul>
          </div>
        )
      }
    </Answered>
  );
}

/** One version: its size and hash, its files, a check of it, and the way to remove it. */
export function VersionSection({ dataset, version, nowMs, onRemoved }: VersionProps): ReactNode {
  const { client, engine } = useSession();
  const live = useStore(engine, (state) => state.status.state === 'ok');
  const action = useLabAction();
  const [isAsking, setIsAsking] = useState(false);
  const { name } = dataset;
  const { number, hash, files, bytes, note, createdMs } = version;
  const subject = `${name}@${number}`;
  const verify = useVerify(name, number);
  const remove = (): void => {
    setIsAsking(false);
    void action
      .attempt(WORDS.removeFailed(subject), () =>
        client.request('lab.removeDatasetVersion', { name, version: number }),
      )
      .then((isGone) => {
        if (isGone) onRemoved();
      });
  };
  return (
    <>
      <FactList
        className={shelf['facts']}
        facts={[
          [WORDS.size, WORDS.sizeOf(formatBytes(bytes), STRINGS.files(files)), 'lab.size'],
          [WORDS.pushed, formatWhen(createdMs, nowMs), 'lab.changed'],
          [WORDS.note, note === '' ? <span className={shelf['muted']}>{WORDS.noNote}</span> : note],
          [WORDS.hash, <code key="hash">{hash}</code>],
        ]}
      />
      <div className={shelf['buttons']}>
        <Button
          title={WORDS.verifyHint}
          disabled={!live || verify.check?.state === 'running'}
          onClick={verify.begin}
        >
          {WORDS.verify}
        </Button>
        <Button
          title={WORDS.removeHint}
          disabled={!live || action.isBusy || isAsking}
          onClick={() => setIsAsking(true)}
        >
          {WORDS.remove}
        </Button>
      </div>
      {isAsking && (
        <AskStrip
          question={WORDS.removeAsk(
            name,
            number,
            STRINGS.files(files),
            formatBytes(bytes),
            dataset.versions.length === 1,
          )}
          yes={WORDS.removeYes}
          onYes={remove}
          onNo={() => setIsAsking(false)}
        />
      )}
      <FaultNote action={action} />
      <VerifyNote verify={verify} subject={subject} />
      <h3>{WORDS.files}</h3>
      <Files name={name} version={number} />
    </>
  );
}
