import { denseBytes, dtypeCodeOf } from '../../base';
import { SluiceError } from '../../contract';
import type { ModelSummary, NewVariant, VariantRecord } from '../../contract';
import type { Variant } from '../../offload';
import { datatypeOf } from '../../serving';
import type { Models } from '../models/models';
import type { Planner } from '../models/planner';
import type { RegisteredVariant } from './deployment-store';

const MOST_VARIANTS = 64;
/** Computing on the development machine: makes measured times MMACs as scenarios have them. */
const MMACS_PER_MS = 38;

/**
 * The next free id: `d0`, `d1`, ...
 * @throws SluiceError `not-found`; `bad-input` for what can't be a variant; `conflict` when it is one already.
 */
function newVariant(
  { model, accuracyPct, source }: NewVariant,
  summary: ModelSummary,
  known: readonly RegisteredVariant[],
): RegisteredVariant {
  if (summary.task.kind === 'text') {
    throw new SluiceError('bad-input', `${model} is a pair of networks; register one that takes tensors.`, {
      model,
    });
  }
  const unservable = summary.inputs.find(({ dtype }) => datatypeOf(dtype) === undefined);
  if (unservable) {
    throw new SluiceError(
      'bad-input',
      `${model}: input "${unservable.name}" is ${unservable.dtype}, which servers do not take.`,
      { model },
    );
  }
  if (known.some((variant) => variant.model === model)) {
    throw new SluiceError(
      'conflict',
      `${model} is a variant already; remove it to give it another accuracy.`,
      {
        model,
      },
    );
  }
  if (known.length >= MOST_VARIANTS) {
    throw new SluiceError('bad-input', `Expected at most ${MOST_VARIANTS} variants; remove one first.`);
  }
  const ids = new Set(known.map(({ id }) => id));
  let number = 0;
  while (ids.has(`d${number}`)) number += 1;
  return { id: `d${number}`, model, title: model, accuracyPct, source };
}

/** @throws SluiceError as `newVariant`. */
export function withVariant(
  registered: readonly RegisteredVariant[],
  added: NewVariant,
  summary: ModelSummary,
): readonly RegisteredVariant[] {
  return [...registered, newVariant(added, summary, registered)];
}

/** Adds one, or tells the one of that model what is known now; its id stays. @throws SluiceError as `newVariant`. */
export function withPutVariant(
  registered: readonly RegisteredVariant[],
  put: NewVariant,
  summary: ModelSummary,
): readonly RegisteredVariant[] {
  const known = registered.find(({ model }) => model === put.model);
  if (!known) return withVariant(registered, put, summary);
  const others = registered.filter((one) => one !== known);
  const variant = { ...newVariant(put, summary, others), id: known.id };
  return registered.map((one) => (one === known ? variant : one));
}

/** @throws SluiceError `not-found`. */
export function withoutVariant(
  registered: readonly RegisteredVariant[],
  id: string,
): readonly RegisteredVariant[] {
  const left = registered.filter((variant) => variant.id !== id);
  if (left.length < registered.length) return left;
  throw new SluiceError('not-found', `No variant is called "${id}".`, { id });
}

/** Registered ones first; of the others those whose model is free, under a free id. */
export function withVariants(
  registered: readonly RegisteredVariant[],
  more: readonly RegisteredVariant[],
): readonly RegisteredVariant[] {
  const models = new Set(registered.map(({ model }) => model));
  const ids = new Set(registered.map(({ id }) => id));
  let number = 0;
  const freeId = (wanted: string): string => {
    let id = wanted;
    while (ids.has(id)) id = `d${number++}`;
    ids.add(id);
    return id;
  };
  const added = more.filter(({ model }) => !models.has(model));
  return [...registered, ...added.map((variant) => ({ ...variant, id: freeId(variant.id) }))];
}

/** Variants as a console shows them. @param problemOf why the device can't run one. */
export function variantRecords(
  variants: readonly RegisteredVariant[],
  problemOf: (id: string) => string | undefined,
): readonly VariantRecord[] {
  return variants.map((variant) => {
    const problem = problemOf(variant.id);
    return { ...variant, ...(problem !== undefined && { problem }) };
  });
}

/**
 * A variant as agents know it. How much it computes was measured when the model was imported: in proportion, that is
 * all agents use of it. A model that is gone, or was never measured, counts like the heaviest MobileNet.
 */
export function systemVariant(registered: RegisteredVariant, models: Models, planner: Planner): Variant {
  const { id, title, accuracyPct, source, model } = registered;
  const summary = models.list().find(({ name }) => name === model);
  return {
    id,
    title,
    accuracyPct,
    source,
    mMacs: ((summary && measuredMs(model, planner)) ?? UNKNOWN_MS) * MMACS_PER_MS,
    precision: 'fp32',
    weightBytes: Math.max(1, summary?.weightBytes ?? 1),
    payloadBytes: Math.max(1, summary ? payloadBytes(summary) : 1),
  };
}

const UNKNOWN_MS = 15;

function measuredMs(model: string, planner: Planner): number | undefined {
  try {
    const [ms] = planner.plan(model, 'resident', Infinity).predictedMs;
    return ms !== undefined && ms > 0 ? ms : undefined;
  } catch {
    return undefined; // stale or broken: its problem is shown beside it
  }
}

function payloadBytes({ inputs }: ModelSummary): number {
  return inputs.reduce((sum, { shape, dtype }) => {
    const dims = shape.map((dim) => Math.max(1, dim));
    return sum + denseBytes(dtypeCodeOf(dtype) ?? 0, dims);
  }, 0);
}
