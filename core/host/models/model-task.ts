import type { ModelDetail, ModelSummary } from '../../contract';
import { classifierShape } from '../../vision';

/** A model the library only knows as tensors in, tensors out is a classifier when it has the shape of one. */
export function withTask<M extends ModelSummary | ModelDetail>(model: M): M {
  if (model.task.kind !== 'tensor') return model;
  const shape = classifierShape(model.inputs, model.outputs);
  return shape ? { ...model, task: { kind: 'classification', labels: shape.labels } } : model;
}
