import { useEffect, useState } from 'react';
import type { ReactNode, RefObject } from 'react';
import { useStore } from 'zustand';

import type { WireError } from '../../core/contract';
import { formatBytes, formatMs } from '../format';
import { PANELS } from '../panels';
import { useSession } from '../session';
import { strings } from '../strings';
import { Button, FailureNote, ProgressBar } from '../ui';
import { answeredRun, importForTour, runForTour, tourBudgetBytes, tourModel } from './tour-actions';
import { goToStep } from './tour-steps';
import type { StepId } from './tour-steps';
import styles from './tour.module.css';

const WORDS = strings.tour;
const STEPS = WORDS.steps;

interface StepProps {
  readonly step: number;
  /** Takes the focus when the step comes. */
  readonly primary: RefObject<HTMLButtonElement | null>;
}

function NextButton({ step, primary }: StepProps): ReactNode {
  const session = useSession();
  useEffect(() => {
    // The button of before is gone, and the focus with it: it goes on from here, unless the reader is elsewhere.
    const { activeElement } = document;
    const isInCallout = Boolean(activeElement?.closest('[data-tour-callout]'));
    if (activeElement === document.body || isInCallout) primary.current?.focus({ preventScroll: true });
  }, [primary]);
  return (
    <Button ref={primary} variant="primary" onClick={() => goToStep(session, step + 1)}>
      {WORDS.next}
    </Button>
  );
}

interface ActingProps extends StepProps {
  readonly act: string;
  readonly busy: string;
  readonly isBusy: boolean;
  readonly disabled?: boolean;
  readonly run: () => Promise<WireError | undefined>;
}

/** A step whose button does the thing; the button stays, so that the focus does. */
function Acting({ act, busy, isBusy, disabled, run, primary }: ActingProps): ReactNode {
  const [error, setError] = useState<WireError>();
  const start = async (): Promise<void> => {
    setError(undefined);
    setError(await run());
  };
  return (
    <>
      {isBusy && <ProgressBar label={busy} fraction={undefined} />}
      {error !== undefined && <FailureNote title={WORDS.failed} error={error} />}
      <Button
        ref={primary}
        variant="primary"
        aria-disabled={isBusy || disabled === true}
        onClick={() => {
          if (!isBusy && disabled !== true) void start();
        }}
      >
        {isBusy ? busy : act}
      </Button>
    </>
  );
}

function ExampleStep(props: StepProps): ReactNode {
  const session = useSession();
  const model = useStore(session.models, (state) => tourModel(state.models));
  const live = useStore(session.engine, (state) => state.status.state === 'ok');
  const isBusy = useStore(session.library, ({ attempts }) =>
    attempts.some(({ phase }) => phase !== 'failed'),
  );
  if (model !== undefined) {
    return (
      <>
        <p role="status">{STEPS.example.done(model.name)}</p>
        <NextButton {...props} />
      </>
    );
  }
  return (
    <>
      <p>{STEPS.example.text}</p>
      <Acting
        {...props}
        act={STEPS.example.act}
        busy={STEPS.example.busy}
        isBusy={isBusy}
        disabled={!live}
        run={() => importForTour(session)}
      />
    </>
  );
}

function RunStep(props: StepProps): ReactNode {
  const session = useSession();
  const { step } = props;
  const model = useStore(session.models, (state) => tourModel(state.models));
  const live = useStore(session.engine, (state) => state.status.state === 'ok');
  const [started, setStarted] = useState(false);
  const latest = useStore(session.runs, ({ runs }) => runs.find((run) => run.model === model?.name));
  const isBusy = started && latest?.state === 'running';
  const isDone = started && latest?.state === 'done';
  useEffect(() => {
    if (isDone) goToStep(session, step + 1);
  }, [isDone, session, step]);
  if (model === undefined) return <p>{STEPS.example.text}</p>;
  const run = async (): Promise<WireError | undefined> => {
    const error = await runForTour(session, model);
    setStarted(true);
    return error;
  };
  return (
    <>
      <p>{STEPS.run.text(formatBytes(tourBudgetBytes(model)), formatBytes(model.weightBytes))}</p>
      <Acting
        {...props}
        act={STEPS.run.act}
        busy={STEPS.run.busy}
        isBusy={isBusy}
        disabled={!live}
        run={run}
      />
    </>
  );
}

function TextStep(props: StepProps): ReactNode {
  const { models, runs } = useSession();
  const model = useStore(models, (state) => tourModel(state.models));
  const run = useStore(runs, (state) => answeredRun(state.runs, model));
  return (
    <>
      <p>
        {STEPS.text.text(
          formatMs(run?.stats?.lastMs ?? Number.NaN),
          formatBytes(run?.budgetBytes ?? Number.NaN),
        )}
      </p>
      <NextButton {...props} />
    </>
  );
}

/** Focus goes to the slider of the curve; Enter there goes on, as the callout's button does. */
function CurveStep({ step, primary }: StepProps): ReactNode {
  const session = useSession();
  const model = useStore(session.models, (state) => tourModel(state.models));
  const budgetBytes = useStore(session.runSetup, ({ setups }) =>
    model === undefined ? undefined : setups[model.name]?.budgetBytes,
  );
  const [first] = useState(budgetBytes);
  const slider = (): HTMLElement | null =>
    document.querySelector('[data-testid="run-curve"] input[type="range"]');
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== 'Enter' || event.target !== slider()) return;
      // Or the same press would push the next step's button, which has the focus by then.
      event.preventDefault();
      goToStep(session, step + 1);
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [session, step]);
  const hasMoved = budgetBytes !== undefined && budgetBytes !== first;
  return (
    <>
      <p>{STEPS.curve.text}</p>
      <p role="status">{hasMoved && STEPS.curve.moved(formatBytes(budgetBytes))}</p>
      <div className={styles['buttons']}>
        <Button ref={primary} variant={hasMoved ? 'plain' : 'primary'} onClick={() => slider()?.focus()}>
          {STEPS.curve.act}
        </Button>
        <Button variant={hasMoved ? 'primary' : 'plain'} onClick={() => goToStep(session, step + 1)}>
          {WORDS.next}
        </Button>
      </div>
    </>
  );
}

function TimelineStep(props: StepProps): ReactNode {
  return (
    <>
      <p>{STEPS.timeline.text}</p>
      <NextButton {...props} />
    </>
  );
}

function EndStep({ step, primary }: StepProps): ReactNode {
  const session = useSession();
  const model = useStore(session.models, (state) => tourModel(state.models));
  const run = useStore(session.runs, (state) => answeredRun(state.runs, model));
  const lines = run?.result?.kind === 'text' ? run.result.lines : [];
  const open = (panel: string): void => {
    goToStep(session, step + 1);
    session.layout.getState().actions.setPanel(panel);
  };
  const onward = (['language', 'lab', 'fleet'] as const).filter((id) =>
    PANELS.some((panel) => panel.id === id),
  );
  return (
    <>
      {run !== undefined && <p>{STEPS.end.text(run.model, formatBytes(run.budgetBytes), lines.length)}</p>}
      <div className={styles['buttons']}>
        {onward.map((id) => (
          <Button key={id} onClick={() => open(id)}>
            {STEPS.end[id]}
          </Button>
        ))}
        <Button ref={primary} variant="primary" onClick={() => goToStep(session, step + 1)}>
          {WORDS.finish}
        </Button>
      </div>
    </>
  );
}

/** What each step says and does. */
export const STEP_BODIES: Readonly<Record<StepId, (props: StepProps) => ReactNode>> = {
  example: ExampleStep,
  run: RunStep,
  text: TextStep,
  curve: CurveStep,
  timeline: TimelineStep,
  end: EndStep,
};
