import { useEffect, useRef, useState } from 'react';
import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import type { LabRunDetail, LabRunRow } from '../../../../core/contract';
import { useSession } from '../../../session';
import { strings } from '../../../strings';
import { FailureNote, Segmented } from '../../../ui';
import { removeRuns, stopRuns } from '../runs/run-actions';
import { AskStrip } from '../shelf';
import { useLabRequest } from '../use-lab-request';
import { ArtifactsView } from './artifacts/artifacts-view';
import { ForkForm } from './fork-form';
import { LogView } from './log/log-view';
import { RunFacts } from './run-facts';
import { RunHead } from './run-head';
import type { Doing } from './run-head';
import { RunMetrics } from './run-metrics';
import styles from './run-page.module.css';
import { SubmitForm } from './submit-form';

const STRINGS = strings.lab.runPage;

type Lower = keyof typeof STRINGS.lowers;
const LOWERS = Object.entries(STRINGS.lowers).map(([value, label]) => ({ value: value as Lower, label }));

interface DoingStripProps {
  readonly row: LabRunRow;
  readonly detail: LabRunDetail | undefined;
  readonly doing: Doing | undefined;
  readonly checkpoint: string | undefined;
  readonly onClose: () => void;
}

/** What is being asked, or filled in, above the page. */
function DoingStrip({ row, detail, doing, checkpoint, onClose }: DoingStripProps): ReactNode {
  const session = useSession();
  if (doing === 'stop')
    return (
      <AskStrip
        question={STRINGS.askStop(row.name)}
        yes={STRINGS.stopNow}
        onYes={() => {
          onClose();
          void stopRuns(session, [row]);
        }}
        onNo={onClose}
      />
    );
  if (doing === 'remove')
    return (
      <AskStrip
        question={STRINGS.askRemove(row.name, detail?.forks.length ?? 0)}
        yes={STRINGS.removeNow}
        onYes={() => {
          onClose();
          void removeRuns(session, [row]);
        }}
        onNo={onClose}
      />
    );
  if (detail === undefined) return null;
  if (doing === 'fork')
    return <ForkForm key={checkpoint} detail={detail} checkpoint={checkpoint} onClose={onClose} />;
  return doing === 'submit' ? <SubmitForm detail={detail} onClose={onClose} /> : null;
}

/** The lower half: what the program wrote. */
function LowerPart({ row }: { readonly row: LabRunRow }): ReactNode {
  const [lower, setLower] = useState<Lower>(row.isLaunched ? 'log' : 'artifacts');
  const lead = (
    <div className={styles['lead']}>
      <Segmented label={STRINGS.lower} value={lower} options={LOWERS} onChange={setLower} />
    </div>
  );
  const hasLog = lower === 'log' && row.isLaunched;
  return (
    <div className={styles['lower']}>
      {hasLog ? (
        <LogView run={row.runId} name={row.name} attempt={row.attempt ?? 1} lead={lead} />
      ) : (
        <>
          <div className={styles['lowerBar']}>{lead}</div>
          {lower === 'log' ? (
            <p className={styles['muted']}>{STRINGS.noLog}</p>
          ) : (
            <ArtifactsView run={row.runId} />
          )}
        </>
      )}
    </div>
  );
}

interface RunPageProps {
  readonly runId: string;
  /** Opened to be forked. */
  readonly isForking: boolean;
  readonly onBack: () => void;
}

/** Everything about one run. Escape goes back. */
export function RunPage({ runId, isForking, onBack }: RunPageProps): ReactNode {
  const { lab } = useSession();
  const row = useStore(lab, (state) => state.rows?.find((each) => each.runId === runId));
  const { value: detail, error } = useLabRequest('lab.run', { run: runId }, 'runs');
  const [doing, setDoing] = useState<Doing | undefined>(isForking ? 'fork' : undefined);
  const [checkpoint, setCheckpoint] = useState<string>();
  const page = useRef<HTMLElement>(null);
  useEffect(() => page.current?.focus(), []);
  if (row === undefined) return <p className={styles['muted']}>{STRINGS.gone}</p>;
  const close = (): void => {
    setDoing(undefined);
    setCheckpoint(undefined);
    page.current?.focus();
  };
  return (
    <article
      ref={page}
      tabIndex={-1}
      className={styles['page']}
      aria-label={row.name}
      data-testid="run-page"
      data-run={row.name}
      onKeyDown={(event) => {
        if (event.key === 'Escape' && !event.defaultPrevented) onBack();
      }}
    >
      <RunHead row={row} doing={doing} onDo={setDoing} onBack={onBack} />
      <DoingStrip row={row} detail={detail} doing={doing} checkpoint={checkpoint} onClose={close} />
      {error !== undefined && detail === undefined && (
        <FailureNote title={STRINGS.failedDetail} error={error} />
      )}
      <div className={styles['body']}>
        <RunFacts
          row={row}
          detail={detail}
          onFork={(path) => {
            setCheckpoint(path);
            setDoing('fork');
          }}
        />
        <div className={styles['work']}>
          <RunMetrics row={row} />
          <LowerPart row={row} />
        </div>
      </div>
    </article>
  );
}
