import { setTimeout as sleep } from 'node:timers/promises';

import { SluiceError } from '../../contract';
import { DATATYPES } from '../protocol/datatype';
import type { Datatype } from '../protocol/datatype';
import type { OipTensor } from '../protocol/tensor';
import type { ModelAnswer, ServedModel, ServedModels } from '../server/served-models';

/** Free in both dimensions, so that shapes are seen to come back too. */
const SHAPE = [-1, -1];

function echoModel(datatype: Datatype): ServedModel {
  return {
    name: echoOf(datatype),
    version: '1',
    platform: 'fake',
    inputs: [{ name: 'x', datatype, shape: SHAPE }],
    outputs: [{ name: 'y', datatype, shape: SHAPE }],
    isReady: true,
  };
}

/** The model that gives its input of that datatype back. */
export function echoOf(datatype: Datatype): string {
  return `echo-${datatype.toLowerCase()}`;
}

const PAIR: ServedModel = {
  name: 'pair',
  version: '1',
  platform: 'fake',
  inputs: [
    { name: 'a', datatype: 'FP32', shape: [2, 2] },
    { name: 'b', datatype: 'INT64', shape: [-1] },
  ],
  outputs: [
    { name: 'a2', datatype: 'FP32', shape: [2, 2] },
    { name: 'b2', datatype: 'INT64', shape: [-1] },
  ],
  isReady: true,
};

/** Models that give their inputs back: an echo for every datatype, and one of two tensors. */
export class FakeModels implements ServedModels {
  private readonly unloaded = new Set<string>();
  /** Time an inference takes. */
  computeMs = 0;
  /** Inferences begun. */
  begun = 0;
  /** Thrown by the next inferences. */
  fault: SluiceError | undefined;

  list(): readonly ServedModel[] {
    return [...DATATYPES.map(echoModel), PAIR].map((model) =>
      this.unloaded.has(model.name) ? { ...model, isReady: false, reason: 'unloaded' } : model,
    );
  }

  load(name: string): Promise<void> {
    this.unloaded.delete(name);
    return Promise.resolve();
  }

  unload(name: string): Promise<void> {
    this.unloaded.add(name);
    return Promise.resolve();
  }

  async infer(name: string, inputs: readonly OipTensor[], signal: AbortSignal): Promise<ModelAnswer> {
    this.begun += 1;
    if (this.fault) throw this.fault;
    if (this.computeMs > 0) {
      await sleep(this.computeMs, undefined, { signal }).catch((cause: unknown) => {
        throw new SluiceError('cancelled', 'The run was cancelled.', {}, { cause });
      });
    }
    const { outputs } = this.list().find((model) => model.name === name) ?? PAIR;
    return {
      outputs: outputs.map((output, index) => ({ ...inputs[index]!, name: output.name })),
      computeMs: this.computeMs,
    };
  }
}
