import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import type { ModelDetail } from '../../../core/contract';
import { formatBytes, formatCount } from '../../format';
import { useSession } from '../../session';
import type { Verification } from '../../stores';
import { strings } from '../../strings';
import { Button, FailureNote } from '../../ui';
import { removeModel, verifyModel } from './library-actions';
import styles from './model-operations.module.css';

const STRINGS = strings.models;

const WORDS = STRINGS.inspector;

/** How a check of a store is going, or how it ended. */
export function VerificationNote({ verification }: { readonly verification: Verification }): ReactNode {
  if (verification.state === 'running') return <p role="status">{WORDS.verifying}</p>;
  if (verification.state === 'failed')
    return <FailureNote title={WORDS.verifyFailed} error={verification.error} />;
  const { report } = verification;
  if (report.ok) {
    return (
      <p role="status">
        {WORDS.verified(formatCount(report.layersChecked), formatBytes(report.bytesChecked))}
      </p>
    );
  }
  const message = report.faults.map(({ layer, problem }) => `${layer}: ${problem}`).join('\n');
  return (
    <FailureNote
      title={WORDS.faults}
      error={{ code: 'corrupt-store', message, details: { name: report.name } }}
    />
  );
}

/** Run, verify, remove. */
export function ModelOperations({ detail }: { readonly detail: ModelDetail }): ReactNode {
  const session = useSession();
  const { name } = detail;
  const live = useStore(session.engine, (state) => state.status.state === 'ok');
  const removing = useStore(session.library, (state) => state.removing === name);
  const removeError = useStore(session.library, (state) => state.removeError);
  const verification = useStore(session.library, (state) => state.verifications[name]);
  const openRun = (): void => {
    const { setModel, setPanel } = session.layout.getState().actions;
    setModel(name);
    setPanel('run');
  };
  return (
    <div className={styles['operations']}>
      <div className={styles['buttons']}>
        <Button disabled={detail.state !== 'ready'} onClick={openRun}>
          {WORDS.run}
        </Button>
        <Button
          disabled={!live || verification?.state === 'running'}
          onClick={() => void verifyModel(session, name)}
        >
          {WORDS.verify}
        </Button>
        <Button
          disabled={!live || removing}
          title={STRINGS.remove.hint(formatBytes(detail.storeBytes), detail.sourceFile)}
          onClick={() => void removeModel(session, name)}
        >
          {WORDS.remove}
        </Button>
      </div>
      {removeError?.name === name && (
        <FailureNote title={STRINGS.remove.failed(name)} error={removeError.error} />
      )}
      {verification !== undefined && <VerificationNote verification={verification} />}
    </div>
  );
}
