import { SluiceError } from '../../core/contract';
import type { ModelSummary, RunRecord, WireError } from '../../core/contract';
import { importExample } from '../panels/models';
import { offeredInputs, runRequest, startRun } from '../panels/run';
import type { Session } from '../session';
import { DEFAULT_SETUP } from '../stores';

/** How far above the least budget the tour's run goes, as a share of what more there is. */
const BUDGET_SHARE = 0.15;
/** The example whose text the tour ends with. */
const INPUT_ID = 'receipt';

/** The model the tour runs: the one that reads text. */
export function tourModel(models: readonly ModelSummary[] | undefined): ModelSummary | undefined {
  return models?.find(({ state, task }) => state === 'ready' && task.kind === 'text');
}

/** Bytes: small, yet not so small that nothing can be seen to stay in memory. */
export function tourBudgetBytes({ minimumBytes, weightBytes }: ModelSummary): number {
  return Math.ceil(minimumBytes + BUDGET_SHARE * Math.max(0, weightBytes - minimumBytes));
}

/** The latest run of the model that gave a text. */
export function answeredRun(
  runs: readonly RunRecord[],
  model: ModelSummary | undefined,
): RunRecord | undefined {
  const latest = runs.find((run) => run.model === model?.name);
  return latest?.state === 'done' && latest.result?.kind === 'text' ? latest : undefined;
}

/** @returns why it did not work, if it did not. */
export async function importForTour(session: Session): Promise<WireError | undefined> {
  await importExample(session);
  return session.library.getState().attempts.find(({ phase }) => phase === 'failed')?.error;
}

/** Reads the receipt under the tour's budget. @returns why it could not be started, if it could not. */
export async function runForTour(session: Session, model: ModelSummary): Promise<WireError | undefined> {
  const { change } = session.runSetup.getState().actions;
  try {
    const examples = await session.client.request('inputs.examples', {});
    const example = examples.find(({ id }) => id === INPUT_ID);
    const inputs = offeredInputs(model, example === undefined ? examples : [example], DEFAULT_SETUP);
    const chosen = inputs[0];
    if (chosen === undefined) return undefined;
    const budgetBytes = tourBudgetBytes(model);
    session.layout.getState().actions.setModel(model.name);
    change(model.name, { mode: 'async', budgetBytes, chosen });
    await startRun(
      session,
      runRequest(model.name, { ...DEFAULT_SETUP, chosen }, chosen.input, budgetBytes, 'once'),
    );
    return session.runSetup.getState().startErrors[model.name];
  } catch (thrown) {
    return SluiceError.from(thrown).toWire();
  }
}
