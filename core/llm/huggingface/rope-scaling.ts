import { z } from 'zod';

const positive = z.number().positive();
const looseType = z.looseObject({ rope_type: z.string().optional(), type: z.string().optional() });
const linearSchema = z.looseObject({ factor: positive });
const llama3Schema = z
  .looseObject({
    factor: positive,
    low_freq_factor: positive,
    high_freq_factor: positive,
    original_max_position_embeddings: positive,
  })
  .refine(({ low_freq_factor: low, high_freq_factor: high }) => high > low, {
    message: 'expected high_freq_factor above low_freq_factor',
  });

export interface RopeScaling {
  /** Positions are divided by it. */
  readonly scale: number;
  /** Divisors of each pair's frequency. */
  readonly factors?: Float32Array;
}

/** What can't be used, or how its numbers are wrong. */
export interface RopeProblem {
  readonly code: 'unsupported' | 'bad-model';
  readonly problem: string;
}

/**
 * Reads `rope_scaling` (or `rope_parameters`, its name since transformers 5) of a config.json.
 * @param value undefined or null: positions are not scaled. @param dim elements of a head that are rotated.
 */
export function readRopeScaling(value: unknown, dim: number, theta: number): RopeScaling | RopeProblem {
  if (value === undefined || value === null) return { scale: 1 };
  const named = looseType.safeParse(value);
  const type = named.data?.rope_type ?? named.data?.type ?? 'default';
  if (!named.success) return { code: 'bad-model', problem: `rope_scaling: ${z.prettifyError(named.error)}` };
  if (type === 'default') return { scale: 1 };
  if (type === 'linear') {
    const linear = linearSchema.safeParse(value);
    return linear.success ? { scale: linear.data.factor } : badNumbers(linear.error);
  }
  if (type === 'llama3') {
    const llama3 = llama3Schema.safeParse(value);
    return llama3.success
      ? { scale: 1, factors: llama3Factors(llama3.data, dim, theta) }
      : badNumbers(llama3.error);
  }
  return {
    code: 'unsupported',
    problem: `rope scaling '${type}' can't be used; default, linear and llama3 can`,
  };
}

function badNumbers(error: z.ZodError): RopeProblem {
  const faults = error.issues.map(({ path, message }) => [...path, message].join(': '));
  return { code: 'bad-model', problem: `rope_scaling: ${faults.join('; ')}` };
}

/**
 * Slow pairs turn `factor` times slower, fast ones as before, and those between by a share of both (`llama3` in
 * transformers/modeling_rope_utils.py).
 */
function llama3Factors(numbers: z.infer<typeof llama3Schema>, dim: number, theta: number): Float32Array {
  const { factor, low_freq_factor: low, high_freq_factor: high } = numbers;
  const context = numbers.original_max_position_embeddings;
  return Float32Array.from({ length: dim / 2 }, (_, pair) => {
    const wavelength = 2 * Math.PI * theta ** ((2 * pair) / dim);
    if (wavelength < context / high) return 1;
    if (wavelength > context / low) return factor;
    const share = (context / wavelength - low) / (high - low);
    return 1 / ((1 - share) / factor + share);
  });
}
