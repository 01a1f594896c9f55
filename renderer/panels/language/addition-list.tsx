import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import { cancelWork, useSession } from '../../session';
import type { ModelAddition } from '../../stores';
import { strings } from '../../strings';
import { Button, FailureNote, ProgressRow } from '../../ui';
import styles from './add-model.module.css';
import { addAgain } from './model-actions';

const STRINGS = strings.language;

const WORDS = STRINGS.add;

function Failed({ addition }: { readonly addition: ModelAddition }): ReactNode {
  const session = useSession();
  const { id, origin, title, error } = addition;
  const isHub = origin.kind === 'hub';
  if (error === undefined) return null;
  return (
    <li data-testid="addition-row" data-state="failed">
      <FailureNote
        title={WORDS.failed[origin.kind](title)}
        error={error}
        onDismiss={() => session.language.getState().actions.endAddition(id)}
        actions={
          <Button
            variant="ghost"
            title={isHub ? WORDS.resumeHint : undefined}
            onClick={() => void addAgain(session, addition)}
          >
            {isHub ? WORDS.resume : WORDS.again}
          </Button>
        }
      />
      {isHub && <p className={styles['resume']}>{WORDS.resumeHint}</p>}
    </li>
  );
}

/** Without the owner, which there is little room for. */
function shortName(title: string): string {
  return title.slice(title.indexOf('/') + 1);
}

function UnderWay({ addition }: { readonly addition: ModelAddition }): ReactNode {
  const session = useSession();
  const { id, origin, title, phase, sentBytes, totalBytes } = addition;
  const tracked = useStore(session.jobs, (state) => state.jobs.find(({ job }) => job.id === id));
  const isUploading = phase === 'uploading';
  const job = tracked?.job;
  return (
    <ProgressRow
      title={origin.kind === 'hub' ? WORDS.downloading(shortName(title)) : WORDS.importing(title)}
      phase={isUploading ? WORDS.uploading : (job?.phase ?? WORDS.starting)}
      doneBytes={isUploading ? sentBytes : (job?.doneBytes ?? 0)}
      totalBytes={isUploading ? totalBytes : (job?.totalBytes ?? 0)}
      bytesPerSec={tracked?.bytesPerSec}
      etaSec={tracked?.etaSec}
      testId="addition-row"
      cancelLabel={WORDS.cancel}
      onCancel={() => void cancelWork(session, id)}
    />
  );
}

/** Language models on their way in, and those that did not come. Empty when there are none. */
export function AdditionList(): ReactNode {
  const { language } = useSession();
  const additions = useStore(language, (state) => state.additions);
  if (additions.length === 0) return null;
  return (
    <ul className={styles['additions']}>
      {additions.map((addition) =>
        addition.phase === 'failed' ? (
          <Failed key={addition.id} addition={addition} />
        ) : (
          <UnderWay key={addition.id} addition={addition} />
        ),
      )}
    </ul>
  );
}
