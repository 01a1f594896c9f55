import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import { PIPELINE_MODES } from '../../../core/contract';
import type { ModelSummary, RunRequest } from '../../../core/contract';
import { useSession } from '../../session';
import { strings } from '../../strings';
import { Button, Segmented, SelectField, TextField } from '../../ui';
import { BudgetField } from './budget-field';
import { chooseInputFile, inputKey, parseMs, runRequest, startRun, stopRun } from './run-actions';
import styles from './run-controls.module.css';
import type { RunPanelState } from './use-run-panel';

const STRINGS = strings.run;

const MODES = PIPELINE_MODES.map((mode) => ({ value: mode, ...STRINGS.modes[mode] }));

function badMs(text: string): string | undefined {
  return Number.isNaN(parseMs(text)) ? STRINGS.badMs : undefined;
}

function RunButtons({ panel }: { readonly panel: RunPanelState }): ReactNode {
  const session = useSession();
  const live = useStore(session.engine, (state) => state.status.state === 'ok');
  const { model, setup, input, budgetBytes, run } = panel;
  const running = run?.state === 'running';
  const faulty = badMs(setup.periodText) !== undefined || badMs(setup.deadlineText) !== undefined;
  const ready = live && model.state === 'ready' && input !== undefined && !running;
  const start = (repeat: RunRequest['repeat']): void => {
    if (input !== undefined)
      void startRun(session, runRequest(model.name, setup, input.input, budgetBytes, repeat));
  };
  return (
    <div className={styles['buttons']} data-tour="run">
      {running ? (
        <Button variant="danger" disabled={!live} onClick={() => void stopRun(session, model.name, run.id)}>
          {STRINGS.stop}
        </Button>
      ) : (
        <Button variant="primary" disabled={!ready} onClick={() => start('once')}>
          {STRINGS.runOnce}
        </Button>
      )}
      <Button disabled={!ready || faulty} onClick={() => start('continuous')}>
        {STRINGS.runContinuously}
      </Button>
    </div>
  );
}

function PeriodFields({ panel }: { readonly panel: RunPanelState }): ReactNode {
  const { runSetup } = useSession();
  const { model, setup } = panel;
  const { change } = runSetup.getState().actions;
  return (
    <fieldset className={styles['period']}>
      <legend>{STRINGS.continuous}</legend>
      <TextField
        label={STRINGS.period}
        value={setup.periodText}
        placeholder={STRINGS.periodPlaceholder}
        fault={badMs(setup.periodText)}
        onChange={(periodText) => change(model.name, { periodText })}
      />
      <TextField
        label={STRINGS.deadline}
        value={setup.deadlineText}
        placeholder={STRINGS.deadlinePlaceholder}
        fault={badMs(setup.deadlineText)}
        onChange={(deadlineText) => change(model.name, { deadlineText })}
      />
    </fieldset>
  );
}

interface RunControlsProps {
  readonly panel: RunPanelState;
  readonly models: readonly ModelSummary[];
}

/** The column of choices: model, input, mode, budget, and the buttons that run it. */
export function RunControls({ panel, models }: RunControlsProps): ReactNode {
  const session = useSession();
  const { model, setup, inputs, input } = panel;
  const { change } = session.runSetup.getState().actions;
  const options = models.map(({ name, state }) => ({
    value: name,
    label: name,
    disabled: state !== 'ready',
  }));
  return (
    <div className={styles['controls']}>
      <SelectField
        label={STRINGS.model}
        value={model.name}
        options={options}
        onChange={(name) => session.layout.getState().actions.setModel(name)}
      />
      {model.stateReason !== undefined && <p className={styles['reason']}>{model.stateReason}</p>}
      <div className={styles['input']}>
        <SelectField
          label={STRINGS.input}
          value={input === undefined ? '' : inputKey(input.input)}
          options={inputs.map((offered) => ({ value: inputKey(offered.input), label: offered.name }))}
          onChange={(key) => {
            const chosen = inputs.find((offered) => inputKey(offered.input) === key);
            if (chosen !== undefined) change(model.name, { chosen });
          }}
        />
        <Button onClick={() => void chooseInputFile(session, model.name)}>{STRINGS.chooseFile}</Button>
      </div>
      <div className={styles['mode']}>
        <span>{STRINGS.mode}</span>
        <Segmented
          label={STRINGS.mode}
          value={setup.mode}
          options={MODES}
          onChange={(mode) => change(model.name, { mode })}
        />
      </div>
      <BudgetField panel={panel} />
      <RunButtons panel={panel} />
      <PeriodFields panel={panel} />
    </div>
  );
}
