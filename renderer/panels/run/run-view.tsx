import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import type { ModelSummary } from '../../../core/contract';
import { useSession } from '../../session';
import { strings } from '../../strings';
import { Button, EmptyState, FailureNote, ProgressBar } from '../../ui';
import { TourLink } from '../../tour/tour-link';
import { importExample } from '../models';
import { MemoryDelayPlot } from './memory-delay-plot';
import { PlacementStrip } from './placement-strip';
import { chooseModel } from './run-actions';
import { RunControls } from './run-controls';
import { RunFailure, RunOutcome } from './run-outcome';
import styles from './run-view.module.css';
import { useRunPanel } from './use-run-panel';
import type { RunPanelState } from './use-run-panel';

const STRINGS = strings.run;

/** The curve, or why there is none: still profiling, no weights, or a failure. */
function CurveArea({ panel }: { readonly panel: RunPanelState }): ReactNode {
  const { runSetup, jobs, engine } = useSession();
  const live = useStore(engine, (state) => state.status.state === 'ok');
  const { model, curve, budgetBytes, setup } = panel;
  const job = useStore(jobs, (state) =>
    state.jobs.find((tracked) => tracked.job.subject === model.name && tracked.job.state === 'running'),
  );
  if (model.largestLayerBytes === 0) return <p className={styles['note']}>{STRINGS.curve.noWeights}</p>;
  if (curve.error !== undefined) {
    return <RunFailure title={STRINGS.curve.failed} error={curve.error} model={model.name} />;
  }
  if (curve.value === undefined && !live) {
    return (
      <div className={styles['loading']}>
        <p>{STRINGS.waiting}</p>
      </div>
    );
  }
  if (curve.value === undefined) {
    const total = job?.job.totalBytes ?? 0;
    return (
      <div className={styles['loading']}>
        <ProgressBar
          label={STRINGS.curve.loading}
          fraction={job === undefined || total === 0 ? undefined : job.job.doneBytes / total}
        />
        <p>{job === undefined ? STRINGS.curve.loading : `${STRINGS.curve.loading} ${job.job.phase}`}</p>
      </div>
    );
  }
  return (
    <MemoryDelayPlot
      curve={curve.value}
      layers={model.layers}
      budgetBytes={budgetBytes}
      disabled={setup.mode === 'resident'}
      onBudget={(bytes) => runSetup.getState().actions.change(model.name, { budgetBytes: bytes })}
    />
  );
}

function RunModel({
  model,
  models,
}: {
  readonly model: ModelSummary;
  readonly models: readonly ModelSummary[];
}): ReactNode {
  const panel = useRunPanel(model);
  const { plan } = panel;
  return (
    <>
      <RunControls panel={panel} models={models} />
      <div className={styles['work']}>
        <section className={styles['curve']} aria-label={STRINGS.curve.title}>
          <CurveArea panel={panel} />
          {plan.error !== undefined && (
            <RunFailure title={STRINGS.plan.failed} error={plan.error} model={model.name} />
          )}
          {plan.value !== undefined && <PlacementStrip plan={plan.value} />}
        </section>
        <div className={styles['outcome']}>
          <RunOutcome model={model.name} run={panel.run} offered={panel.inputs} />
        </div>
      </div>
    </>
  );
}

function NothingToRun(): ReactNode {
  const session = useSession();
  const live = useStore(session.engine, (state) => state.status.state === 'ok');
  const attempts = useStore(session.library, (state) => state.attempts);
  const busy = attempts.some(({ phase }) => phase !== 'failed');
  const failed = attempts.find(({ phase }) => phase === 'failed');
  const action = (
    <>
      <Button
        data-tour="import"
        variant="primary"
        disabled={!live || busy}
        onClick={() => void importExample(session)}
      >
        {busy ? STRINGS.emptyBusy : STRINGS.emptyAction}
      </Button>
      <TourLink />
      {failed?.error !== undefined && <FailureNote title={failed.title} error={failed.error} />}
    </>
  );
  return (
    <EmptyState title={STRINGS.emptyTitle} action={action}>
      {STRINGS.empty}
    </EmptyState>
  );
}

export function RunView(): ReactNode {
  const session = useSession();
  const models = useStore(session.models, (state) => state.models);
  const remembered = useStore(session.layout, (state) => state.model);
  if (models === undefined) return <p className={styles['note']}>{STRINGS.waiting}</p>;
  const model = chooseModel(models, remembered);
  return model === undefined ? <NothingToRun /> : <RunModel key={model.name} model={model} models={models} />;
}
