import { SluiceError } from '../../../core/contract';
import type { ExampleInput, ModelSummary, RunInput, RunRequest, WireError } from '../../../core/contract';
import { pathOnEngine, uniqueId } from '../../session';
import type { Session } from '../../session';
import type { NamedInput, RunSetup } from '../../stores';
import { strings } from '../../strings';
import type { ChosenFile } from '../../transport';

const STRINGS = strings.run;

export const RANDOM_INPUT: NamedInput = { name: STRINGS.random, input: { kind: 'random', seed: 1 } };

/** Inputs on offer for a model: examples for its task, the file in hand, random values where a tensor will do. */
export function offeredInputs(
  model: ModelSummary,
  examples: readonly ExampleInput[],
  setup: RunSetup,
): readonly NamedInput[] {
  const fitting = examples
    .filter(({ forTask }) => forTask === model.task.kind)
    .map(({ id, title }): NamedInput => ({ name: title, input: { kind: 'example', id } }));
  const file = setup.file === undefined ? [] : [setup.file];
  return [...fitting, ...file, ...(model.task.kind === 'text' ? [] : [RANDOM_INPUT])];
}

/** Same input, whatever object holds it. */
export function inputKey(input: RunInput): string {
  switch (input.kind) {
    case 'example':
      return `example:${input.id}`;
    case 'file':
      return `file:${input.path}`;
    case 'bytes':
      return `bytes:${input.name}`;
    case 'random':
      return `random:${input.seed}`;
  }
}

/** Milliseconds above 0; undefined when empty; NaN when it is neither. */
export function parseMs(text: string): number | undefined {
  if (text.trim() === '') return undefined;
  const ms = Number(text.trim().replace(',', '.'));
  return ms > 0 && Number.isFinite(ms) ? ms : Number.NaN;
}

/** The request of a setup, for the caller's model, input and budget. Period and deadline only when continuous. */
export function runRequest(
  model: string,
  setup: RunSetup,
  input: RunInput,
  budgetBytes: number,
  repeat: RunRequest['repeat'],
): RunRequest {
  const periodMs = repeat === 'continuous' ? parseMs(setup.periodText) : undefined;
  const deadlineMs = repeat === 'continuous' ? parseMs(setup.deadlineText) : undefined;
  return {
    model,
    input,
    mode: setup.mode,
    repeat,
    ...(setup.mode === 'resident' ? {} : { budgetBytes }),
    ...(periodMs === undefined ? {} : { periodMs }),
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
  };
}

/** Starts a run; a refusal is kept for the model's panel. */
export async function startRun(session: Session, request: RunRequest): Promise<void> {
  const { started, refused } = session.runSetup.getState().actions;
  refused(request.model, undefined);
  try {
    const { runId } = await session.client.request('runs.start', request);
    started(request.model, runId, request.input);
  } catch (thrown) {
    refused(request.model, SluiceError.from(thrown).toWire());
  }
}

export async function stopRun(session: Session, model: string, runId: string): Promise<void> {
  try {
    await session.client.request('runs.stop', { runId });
  } catch (thrown) {
    session.runSetup.getState().actions.refused(model, SluiceError.from(thrown).toWire());
  }
}

/** Takes a chosen or dropped file as the input of a model. Bytes of a browser's file go along with the run. */
export async function takeInputFile(session: Session, model: string, chosen: ChosenFile): Promise<void> {
  const { change, refused } = session.runSetup.getState().actions;
  try {
    const input: RunInput =
      chosen.kind === 'file'
        ? { kind: 'bytes', name: chosen.name, bytes: new Uint8Array(await chosen.file.arrayBuffer()) }
        : { kind: 'file', path: await pathOnEngine(session, uniqueId(), chosen, () => undefined) };
    const file = { name: chosen.name, input };
    change(model, { file, chosen: file });
  } catch (thrown) {
    refused(model, SluiceError.from(thrown, 'io').toWire());
  }
}

/** Asks for a file and takes it. */
export async function chooseInputFile(session: Session, model: string): Promise<void> {
  try {
    const chosen = await session.host.chooseImage();
    if (chosen !== undefined) await takeInputFile(session, model, chosen);
  } catch (thrown) {
    session.runSetup.getState().actions.refused(model, SluiceError.from(thrown).toWire());
  }
}

/** The model in view: the remembered one, else one that reads text, else the first that can run. */
export function chooseModel(
  models: readonly ModelSummary[],
  remembered: string | undefined,
): ModelSummary | undefined {
  const ready = models.filter(({ state }) => state === 'ready');
  return (
    models.find(({ name }) => name === remembered) ??
    ready.find(({ task }) => task.kind === 'text') ??
    ready[0] ??
    models[0]
  );
}

const MIB = 2 ** 20;

/** Which budget has to grow, and to how many bytes, after `budget-too-small`; undefined for any other error. */
export function budgetRemedy(
  error: WireError,
): { readonly of: 'run' | 'engine'; readonly bytes: number } | undefined {
  const least = error.details['minimumBytes'];
  if (error.code !== 'budget-too-small' || typeof least !== 'number') return undefined;
  // Only the engine's own limit counts what other runs hold.
  if (typeof error.details['heldBytes'] !== 'number') return { of: 'run', bytes: least };
  return { of: 'engine', bytes: Math.ceil(least / MIB) * MIB };
}

/** Raises what the run was refused for: its own budget, or the limit of all models together. */
export async function applyRemedy(session: Session, model: string, error: WireError): Promise<void> {
  const remedy = budgetRemedy(error);
  const { change, refused } = session.runSetup.getState().actions;
  if (remedy === undefined) return;
  if (remedy.of === 'run') {
    change(model, { budgetBytes: remedy.bytes });
    return;
  }
  try {
    const budget = await session.client.request('budget.set', { limitBytes: remedy.bytes });
    session.budget.getState().actions.setBudget(budget);
    refused(model, undefined);
  } catch (thrown) {
    refused(model, SluiceError.from(thrown).toWire());
  }
}
