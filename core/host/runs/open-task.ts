import { readFile } from 'node:fs/promises';

import { SluiceError } from '../../contract';
import type { ModelSummary, PlanDetail, RunInput, RunResult } from '../../contract';
import { traceColumns } from '../../layering';
import type { InferenceResult } from '../../layering';
import {
  classifierInput,
  classifierShape,
  describeTensors,
  loadLabels,
  ocrAssets,
  parseOcrKeys,
  readText,
  topK,
} from '../../vision';
import type { Tensor, TensorRunner } from '../../vision';
import { loadInput } from '../inputs/load-input';
import type { LoadedInput } from '../inputs/load-input';
import type { Lease, LoadedModels } from '../models/loaded-models';
import type { LoadedModel } from '../models/model-ports';
import type { RunPlan } from '../models/planner';
import { fromHostTensors, toHostTensors } from '../tensor-bytes';
import { mergeTraces } from './merge-traces';
import type { TracedPart } from './merge-traces';
import type { RunTask, TaskAnswer } from './run-task';

export interface TaskParts {
  readonly models: LoadedModels;
  readonly appRoot: string;
  /** Where a model's class names are looked for, beside this file. */
  readonly labelsBeside: (model: string) => string | undefined;
  /** Tells how many text regions an image had. */
  readonly onRegions: (model: string, regions: number) => void;
}

/**
 * Prepares the input and loads what the plan says.
 * @throws SluiceError `bad-input`, `not-found`, `budget-too-small`, `stale-store`, `corrupt-store`, `io`, `runtime`.
 */
export async function openTask(
  parts: TaskParts,
  summary: ModelSummary,
  input: RunInput,
  plan: RunPlan,
): Promise<RunTask> {
  const loaded = await loadInput(input, summary, parts.appRoot);
  const infer = await prepare(parts, summary, loaded, plan);
  const leases: Lease[] = [];
  const release = (): void => leases.forEach((lease) => lease.release());
  try {
    for (const demand of plan.demands) leases.push(await parts.models.acquire(demand));
  } catch (error) {
    release();
    throw error;
  }
  const models = leases.map((lease) => lease.model);
  return {
    plan: allocated(plan.detail, models),
    isWarm: leases.every((lease) => lease.isWarm),
    infer: (signal) => infer(models, signal),
    release,
  };
}

type Infer = (models: readonly LoadedModel[], signal: AbortSignal) => Promise<TaskAnswer>;

async function prepare(
  parts: TaskParts,
  summary: ModelSummary,
  input: LoadedInput,
  plan: RunPlan,
): Promise<Infer> {
  const { task } = summary;
  if (task.kind === 'text') return prepareText(parts, summary.name, task, input, plan.predictedMs);
  const shape = classifierShape(summary.inputs, summary.outputs);
  if (task.kind === 'tensor' || !shape) {
    if (input.kind !== 'tensors') throw new SluiceError('internal', `${summary.name}: expected tensors.`);
    return single(input.tensors, (outputs) => describeTensors(outputs));
  }
  const labels = await loadLabels(parts.appRoot, shape.labels, parts.labelsBeside(summary.name));
  const { width, height } = input.kind === 'image' ? input.image : shape.input;
  const tensors = input.kind === 'image' ? classifierInput(input.image, shape) : input.tensors;
  return single(tensors, (outputs) => {
    const [scores] = outputs.values();
    if (!scores) throw new SluiceError('runtime', `${summary.name} gave no output; expected class scores.`);
    return { kind: 'classification', width, height, top: topK(scores, labels) };
  });
}

/** A task of one network and fixed tensors. */
function single(
  tensors: ReadonlyMap<string, Tensor>,
  describe: (outputs: ReadonlyMap<string, Tensor>) => RunResult,
): Infer {
  const inputs = toHostTensors(tensors);
  return async ([model], signal) => {
    if (!model) throw new SluiceError('internal', 'A run needs a loaded model.');
    const answer = await model.run(inputs, { signal });
    return {
      totalMs: answer.totalMs,
      stallMs: answer.stallMs,
      readBytes: answer.readBytes,
      result: () => describe(fromHostTensors(answer.outputs)),
      trace: (runId) => traceColumns(runId, answer.trace),
    };
  };
}

async function prepareText(
  parts: TaskParts,
  name: string,
  task: Extract<ModelSummary['task'], { kind: 'text' }>,
  input: LoadedInput,
  [detectMs = 0, recognizeMs = 0]: readonly number[],
): Promise<Infer> {
  if (input.kind !== 'image')
    throw new SluiceError('bad-input', `${name} reads text in images; give it a picture.`);
  const { image } = input;
  const keys = parseOcrKeys(await readFile(ocrAssets(parts.appRoot).keys, 'utf8'));
  return async ([detector, recognizer], signal) => {
    if (!detector || !recognizer) throw new SluiceError('internal', `${name} needs two loaded models.`);
    const answers: { readonly network: string; readonly answer: InferenceResult }[] = [];
    const runner =
      (network: string, model: LoadedModel): TensorRunner =>
      async (tensors) => {
        const answer = await model.run(toHostTensors(tensors), { signal });
        answers.push({ network, answer });
        return fromHostTensors(answer.outputs);
      };
    const result = await readText(image, {
      detect: runner(task.detector, detector),
      recognize: runner(task.recognizer, recognizer),
      keys,
      detectInput: inputOf(detector),
      recognizeInput: inputOf(recognizer),
    });
    const regions = answers.length - 1;
    parts.onRegions(name, regions);
    const sum = (pick: (answer: InferenceResult) => number): number =>
      answers.reduce((total, { answer }) => total + pick(answer), 0);
    const traced: TracedPart[] = answers.map(({ network, answer }) => ({ network, trace: answer.trace }));
    return {
      totalMs: sum((answer) => answer.totalMs),
      stallMs: sum((answer) => answer.stallMs),
      readBytes: sum((answer) => answer.readBytes),
      predictedMs: detectMs + regions * recognizeMs,
      result: () => result,
      trace: (runId) => mergeTraces(runId, traced),
    };
  };
}

function inputOf(model: LoadedModel): string {
  return model.manifest.inputs[0]?.name ?? 'x';
}

/** The plan with the memory that loading really took. */
function allocated(plan: PlanDetail, models: readonly LoadedModel[]): PlanDetail {
  const sum = (pick: (use: LoadedModel['memoryUse']) => number): number =>
    models.reduce((total, model) => total + pick(model.memoryUse), 0);
  const ringBytes = sum((use) => use.ringBytes);
  const residentBytes = sum((use) => use.residentBytes);
  const constantBytes = sum((use) => use.constantBytes);
  return {
    ...plan,
    ringBytes,
    residentBytes,
    constantBytes,
    parameterMemoryBytes: ringBytes + residentBytes + constantBytes,
  };
}
