import { SluiceError } from '../../contract';
import type { ModelSummary, TensorSpec } from '../../contract';
import { datatypeOf } from '../../serving';
import type { OipTensor } from '../../serving';
import { makeRandomInputs } from '../../vision';
import { toHostTensors } from '../tensor-bytes';

/** A variant as endpoints know it. */
export interface ServedVariant {
  readonly id: string;
  /** Name in the library, and on the servers. */
  readonly model: string;
}

/**
 * What users send: seeded noise of a model's shapes, the same for a user each time. How long an answer takes does not
 * depend on the values.
 */
export class VariantInputs {
  private readonly known = new Map<
    string,
    { readonly specs: readonly TensorSpec[]; readonly tensors: readonly OipTensor[] }
  >();

  constructor(private readonly summary: (model: string) => ModelSummary) {}

  /** Not to be changed. @throws SluiceError `not-found`; `unsupported` for element types the protocol does not have. */
  of(model: string, user: number): readonly OipTensor[] {
    const key = `${user} ${model}`;
    const { inputs: specs } = this.summary(model);
    const known = this.known.get(key);
    // A model that was replaced may take other inputs.
    if (known && JSON.stringify(known.specs) === JSON.stringify(specs)) return known.tensors;
    const tensors = [...toHostTensors(makeRandomInputs(specs, user))].map(
      ([name, { dtype, dims, bytes }]) => {
        const datatype = datatypeOf(dtype);
        if (datatype) return { name, datatype, shape: dims, bytes };
        throw new SluiceError(
          'unsupported',
          `${model}: input "${name}" is ${dtype}, which servers do not take.`,
        );
      },
    );
    this.known.set(key, { specs, tensors });
    return tensors;
  }
}
