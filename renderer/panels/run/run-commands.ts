import { PIPELINE_MODES } from '../../../core/contract';
import type { RunRequest } from '../../../core/contract';
import type { Session } from '../../session';
import { DEFAULT_SETUP } from '../../stores';
import { strings } from '../../strings';
import type { Command } from '../panel';
import { defaultBudget } from './curve-scale';
import { chooseInputFile, chooseModel, offeredInputs, runRequest, startRun, stopRun } from './run-actions';

const WORDS = strings.run.commands;
const WHY_NOT = strings.palette;

/** Starts what the Run panel shows; its input is the chosen one, else the first on offer. */
async function start(session: Session, name: string, repeat: RunRequest['repeat']): Promise<void> {
  const model = session.models.getState().models?.find((other) => other.name === name);
  if (model === undefined) return;
  const setup = session.runSetup.getState().setups[name] ?? DEFAULT_SETUP;
  const examples = setup.chosen === undefined ? await session.client.request('inputs.examples', {}) : [];
  const input = setup.chosen ?? offeredInputs(model, examples, setup)[0];
  if (input === undefined) return;
  const limits = { minimumBytes: model.minimumBytes, totalBytes: model.weightBytes };
  const budgetBytes = setup.budgetBytes ?? defaultBudget(limits);
  await startRun(session, runRequest(name, setup, input.input, budgetBytes, repeat));
}

/** Running, stopping and choosing, as in the panel; and each model as a place to go. */
export function runCommands(session: Session): readonly Command[] {
  const { models, layout, runs, runSetup, engine } = session;
  const all = models.getState().models ?? [];
  const model = chooseModel(all, layout.getState().model);
  const running = runs.getState().runs.find((run) => run.model === model?.name && run.state === 'running');
  const away = engine.getState().status.state === 'ok' ? undefined : WHY_NOT.engineAway;
  const cant = away ?? (model === undefined ? WHY_NOT.noModel : undefined);
  const command = (
    id: string,
    title: string,
    work: (name: string) => unknown,
    disabled: string | undefined,
  ): Command => ({
    id: `run.${id}`,
    title,
    keywords: WORDS.keywords,
    disabled,
    run: () => {
      layout.getState().actions.setPanel('run');
      if (model !== undefined) void work(model.name);
    },
  });
  const busy = cant ?? (running === undefined ? undefined : WHY_NOT.runsAlready);
  return [
    command('once', WORDS.once, (name) => start(session, name, 'once'), busy),
    command('continuous', WORDS.continuous, (name) => start(session, name, 'continuous'), busy),
    command(
      'stop',
      WORDS.stop,
      (name) => running && stopRun(session, name, running.id),
      away ?? (running === undefined ? WHY_NOT.nothingRuns : undefined),
    ),
    command('file', WORDS.file, (name) => chooseInputFile(session, name), cant),
    ...PIPELINE_MODES.map((mode) =>
      command(
        `mode.${mode}`,
        WORDS.mode(strings.run.modes[mode].label),
        (name) => runSetup.getState().actions.change(name, { mode }),
        cant,
      ),
    ),
    ...all.map(({ name, stateReason, state }): Command => ({
      id: `run.model.${name}`,
      title: WORDS.model(name),
      keywords: WORDS.keywords,
      group: 'models',
      disabled: state === 'ready' ? undefined : (stateReason ?? strings.models.states[state]),
      run: () => {
        layout.getState().actions.setModel(name);
        layout.getState().actions.setPanel('run');
      },
    })),
  ];
}
