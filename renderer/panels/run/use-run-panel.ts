import { useMemo } from 'react';
import { useStore } from 'zustand';

import type {
  MemoryDelayCurve,
  ModelSummary,
  PipelineMode,
  PlanDetail,
  RunRecord,
} from '../../../core/contract';
import { useRequest, useSession } from '../../session';
import type { Answer } from '../../session';
import type { NamedInput, RunSetup } from '../../stores';
import { clampBudget, defaultBudget } from './curve-scale';
import { inputKey, offeredInputs } from './run-actions';
import { DEFAULT_SETUP } from '../../stores';

/** Long enough that dragging asks for few plans, short enough to feel immediate. */
const PLAN_WAIT_MS = 120;

/** All the Run panel shows of one model. */
export interface RunPanelState {
  readonly model: ModelSummary;
  readonly setup: RunSetup;
  readonly inputs: readonly NamedInput[];
  /** The chosen input, or the first on offer. */
  readonly input: NamedInput | undefined;
  readonly curve: Answer<MemoryDelayCurve>;
  /** Bytes; within the curve's limits once it is here. */
  readonly budgetBytes: number;
  readonly plan: Answer<PlanDetail>;
  /** The latest run of this model, if any. */
  readonly run: RunRecord | undefined;
}

/** Resident has no curve of its own: what streaming would do is what one compares it with. */
function curveMode(mode: PipelineMode): PipelineMode {
  return mode === 'resident' ? 'async' : mode;
}

/** The budget to run with. Until the curve is here, the model's own figures stand in: running needs no curve. */
function budgetOf(model: ModelSummary, setup: RunSetup, curve: MemoryDelayCurve | undefined): number {
  const limits = curve ?? { minimumBytes: model.minimumBytes, totalBytes: model.weightBytes };
  if (setup.mode === 'resident') return Math.max(limits.minimumBytes, limits.totalBytes);
  return setup.budgetBytes === undefined ? defaultBudget(limits) : clampBudget(setup.budgetBytes, limits);
}

/** Gathers setup, curve, plan and latest run of a model; asks the engine for what is missing. */
export function useRunPanel(model: ModelSummary): RunPanelState {
  const session = useSession();
  const setup = useStore(session.runSetup, (state) => state.setups[model.name] ?? DEFAULT_SETUP);
  const runs = useStore(session.runs, (state) => state.runs);
  const run = runs.find((record) => record.model === model.name);
  const ended = runs.filter((record) => record.model === model.name && record.state !== 'running').length;
  const examples = useRequest('inputs.examples', {}, 'examples');

  const mode = curveMode(setup.mode);
  const ready = model.state === 'ready';
  const modelKey = `${model.name}@${model.importedAt}`;
  const curve = useRequest(
    'plan.curve',
    ready ? { model: model.name, mode } : undefined,
    `${modelKey} ${mode}`,
    ended,
  );
  const budgetBytes = budgetOf(model, setup, curve.value);
  const planInput =
    curve.value === undefined ? undefined : { model: model.name, mode: setup.mode, budgetBytes };
  const plan = useRequest(
    'plan.at',
    planInput,
    `${modelKey} ${setup.mode} ${budgetBytes}`,
    ended,
    PLAN_WAIT_MS,
  );

  const inputs = useMemo(
    () => offeredInputs(model, examples.value ?? [], setup),
    [model, examples.value, setup],
  );
  const chosenKey = setup.chosen && inputKey(setup.chosen.input);
  const input = inputs.find((offered) => inputKey(offered.input) === chosenKey) ?? inputs[0];
  return { model, setup, inputs, input, curve, budgetBytes, plan, run };
}
