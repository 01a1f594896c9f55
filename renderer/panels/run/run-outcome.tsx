import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import type { RunRecord, WireError } from '../../../core/contract';
import { formatBytes, formatCount, formatMs } from '../../format';
import { SaveReport } from '../../report';
import { useSession } from '../../session';
import type { NamedInput } from '../../stores';
import { strings } from '../../strings';
import { Button, FailureNote, ProgressBar } from '../../ui';
import { applyRemedy, budgetRemedy } from './run-actions';
import styles from './run-outcome.module.css';
import { ResultView } from './run-result';

const STRINGS = strings.run;

const WORDS = STRINGS.run;

function Figure({ label, children }: { readonly label: string; readonly children: string }): ReactNode {
  return (
    <div className={styles['figure']}>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Stats({ run }: { readonly run: RunRecord }): ReactNode {
  const { stats, plan } = run;
  if (stats === undefined) return null;
  const repeated = stats.inferences > 1;
  return (
    <dl className={styles['stats']}>
      <div className={styles['latency']}>
        <dt>{WORDS.latency}</dt>
        <dd data-testid="run-latency">{formatMs(stats.lastMs)}</dd>
      </div>
      {plan !== undefined && <Figure label={WORDS.predicted}>{formatMs(plan.predictedMs)}</Figure>}
      {repeated && <Figure label={WORDS.p50}>{formatMs(stats.p50Ms)}</Figure>}
      {repeated && <Figure label={WORDS.p99}>{formatMs(stats.p99Ms)}</Figure>}
      <Figure label={WORDS.stall}>{formatMs(stats.lastStallMs)}</Figure>
      <Figure label={WORDS.read}>{formatBytes(stats.readBytesLast)}</Figure>
      {repeated && <Figure label={WORDS.inferences}>{formatCount(stats.inferences)}</Figure>}
      {repeated && <Figure label={WORDS.missed}>{formatCount(stats.missedDeadlines)}</Figure>}
    </dl>
  );
}

interface RunFailureProps {
  readonly title: string;
  readonly error: WireError;
  readonly model: string;
}

/** A failure with the way out that fits it. */
export function RunFailure({ title, error, model }: RunFailureProps): ReactNode {
  const session = useSession();
  const { layout, library } = session;
  const remedy = budgetRemedy(error);
  const inStore = ['corrupt-store', 'stale-store', 'not-found'].includes(error.code);
  const openModels = (): void => {
    library.getState().actions.select(model);
    layout.getState().actions.setPanel('models');
  };
  const actions = (
    <>
      {remedy !== undefined && (
        <Button variant="ghost" onClick={() => void applyRemedy(session, model, error)}>
          {WORDS.remedies[remedy.of](formatBytes(remedy.bytes))}
        </Button>
      )}
      {inStore && (
        <Button variant="ghost" onClick={openModels}>
          {WORDS.openModels}
        </Button>
      )}
    </>
  );
  return <FailureNote title={title} error={error} actions={actions} />;
}

/** The latest run of the model: how it stands, its figures, its answer. */
export function RunOutcome({
  model,
  run,
  offered,
}: {
  readonly model: string;
  readonly run: RunRecord | undefined;
  /** Inputs the model can be run on now. */
  readonly offered: readonly NamedInput[];
}): ReactNode {
  const { runSetup, layout } = useSession();
  const startError = useStore(runSetup, (state) => state.startErrors[model]);
  const started = useStore(runSetup, (state) => (run === undefined ? undefined : state.inputs[run.id]));
  // A run of before, or of another console: an example still says what it was about.
  const example = offered.find(({ input, name }) => input.kind === 'example' && name === run?.inputName);
  const input = started ?? example?.input;
  const refusal = startError !== undefined && (
    <RunFailure title={WORDS.notStarted} error={startError} model={model} />
  );
  if (run === undefined) return refusal || <p className={styles['none']}>{WORDS.none}</p>;
  return (
    <section className={styles['outcome']}>
      {refusal}
      <header className={styles['head']}>
        <h2>{run.inputName}</h2>
        <span
          className={styles['state']}
          data-testid="run-state"
          data-state={run.state}
          role="status"
        >{`${WORDS.states[run.state]}, ${run.mode}${run.mode === 'resident' ? '' : `, ${formatBytes(run.budgetBytes)}`}`}</span>
        {run.state !== 'running' && <SaveReport key={run.id} what={{ kind: 'run', run: run.id }} />}
        {run.hasTrace && (
          <Button variant="ghost" onClick={() => layout.getState().actions.setPanel('timeline')}>
            {WORDS.timeline}
          </Button>
        )}
      </header>
      {run.state === 'running' && run.stats === undefined && (
        <div className={styles['first']}>
          <ProgressBar label={WORDS.first} fraction={undefined} />
          <p>{WORDS.first}</p>
        </div>
      )}
      {run.state === 'failed' && run.error !== undefined && (
        <RunFailure title={WORDS.failed} error={run.error} model={model} />
      )}
      <Stats run={run} />
      {run.result !== undefined && <ResultView result={run.result} input={input} />}
    </section>
  );
}
