import { SluiceError } from '../../contract';
import { soundTensor, tensorFaults } from '../protocol/frame';
import type { IncomingTensor } from '../protocol/frame';
import { shapeText } from '../protocol/tensor';
import type { OipTensor, OipTensorMetadata } from '../protocol/tensor';
import type { ServedModel } from './served-models';

/** An inference as any protocol brings it. */
export interface IncomingRequest {
  readonly inputs: readonly IncomingTensor[];
  /** Names of the outputs wanted; absent: all. */
  readonly outputs?: readonly string[];
  /** What is wrong with the request beyond single inputs. */
  readonly faults: readonly string[];
}

/**
 * Checks a request against the model's metadata.
 * @returns the inputs in the order of the metadata.
 * @throws SluiceError `bad-input` with every fault at once.
 */
export function checkRequest(
  model: ServedModel,
  { inputs, outputs = [], faults }: IncomingRequest,
): OipTensor[] {
  const known = model.inputs.map(({ name }) => name);
  const offered = model.outputs.map(({ name }) => name);
  const all = [
    ...inputs
      .filter(({ name }) => !known.includes(name))
      .map(({ name }) => `unknown input "${name}"; the model takes ${known.join(', ') || 'none'}`),
    ...model.inputs.flatMap((spec) => inputFaults(spec, inputs)),
    ...outputs
      .filter((name) => !offered.includes(name))
      .map((name) => `unknown output "${name}"; the model gives ${offered.join(', ') || 'none'}`),
    ...faults,
  ];
  if (all.length > 0) {
    throw new SluiceError('bad-input', `The request doesn't fit ${model.name}: ${all.join('; ')}.`, {
      model: model.name,
      faults: all,
    });
  }
  return model.inputs.flatMap(({ name }) => inputs.filter((input) => input.name === name).map(soundTensor));
}

function inputFaults(spec: OipTensorMetadata, inputs: readonly IncomingTensor[]): string[] {
  const [found, ...others] = inputs.filter(({ name }) => name === spec.name);
  const where = `input "${spec.name}"`;
  if (!found) return [`${where} is missing; expected ${spec.datatype} ${shapeText(spec.shape)}`];
  const faults = tensorFaults(found).map((fault) => `${where}: ${fault}`);
  if (others.length > 0) faults.push(`${where} is given ${others.length + 1} times`);
  if (found.datatype !== spec.datatype) {
    faults.push(`${where}: expected datatype ${spec.datatype}, found ${found.datatype.slice(0, 40)}`);
  }
  if (!shapeFits(spec.shape, found.shape)) {
    faults.push(`${where}: expected shape ${shapeText(spec.shape)}, found ${shapeText(found.shape)}`);
  }
  return faults;
}

function shapeFits(expected: readonly number[], found: readonly number[]): boolean {
  return (
    expected.length === found.length &&
    found.every((dim, axis) => dim >= 0 && [-1, dim].includes(expected[axis] ?? NaN))
  );
}
