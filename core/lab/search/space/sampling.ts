import { seededRandom, type Random } from '../../../base';
import type {
  GivenParameters,
  NumberParameter,
  Parameter,
  Parameters,
  ParameterValue,
  SearchSpace,
} from './search-space';

/** Jaderberg et al. 2017 (arXiv 1711.09846): values are multiplied by one of these. */
const PERTURB_FACTORS = [0.8, 1.2] as const;

/**
 * Randomness of one trial's own: what a trial is given depends on its number, not on what happened before it.
 */
export function trialRandom(seed: number, trial: number): Random {
  let hash = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(trial + 1, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return seededRandom(hash ^ (hash >>> 16));
}

/** A point of the space, each parameter by itself but for those given. */
export function sample(space: SearchSpace, random: Random, given: GivenParameters = {}): Parameters {
  return fill(space, (parameter, name) => given[name] ?? draw(parameter, random));
}

/**
 * A point near another: numbers times 0.8 or 1.2 within their range, integers by at least 1, choices as they are;
 * each is drawn anew with `resampleProbability`, and so are those that had no value.
 */
export function perturb(
  space: SearchSpace,
  parameters: Parameters,
  random: Random,
  resampleProbability: number,
): Parameters {
  return fill(space, (parameter, name) => {
    const value = parameters[name];
    // Zero times a factor stays zero.
    if (value === undefined || value === 0 || random() < resampleProbability) return draw(parameter, random);
    if (parameter.type === 'choice' || parameter.type === 'constant') return value;
    const factor = PERTURB_FACTORS[random() < 0.5 ? 0 : 1];
    return typeof value === 'number' ? moved(parameter, value, factor) : value;
  });
}

function fill(
  space: SearchSpace,
  valueOf: (parameter: Parameter, name: string) => ParameterValue,
): Parameters {
  const values = new Map<string, ParameterValue>();
  for (const [name, parameter] of space) {
    const { when } = parameter;
    if (when) {
      const other = values.get(when.parameter);
      if (other === undefined || !when.is.includes(other)) continue;
    }
    values.set(name, valueOf(parameter, name));
  }
  return Object.fromEntries(values);
}

function draw(parameter: Parameter, random: Random): ParameterValue {
  if (parameter.type === 'constant') return parameter.value;
  if (parameter.type === 'choice') {
    const { values } = parameter;
    return values[Math.floor(random() * values.length)] ?? '';
  }
  const { type, min, max, scale } = parameter;
  // An integer owns the stretch of half a unit to both sides, so that its ends are as likely as the rest.
  const half = type === 'int' ? 0.5 : 0;
  const [low, high] = [min - half, max + half];
  const at = random();
  const value = scale === 'log' ? low * (high / low) ** at : low + (high - low) * at;
  return clamp(parameter, value);
}

function moved(parameter: NumberParameter, value: number, factor: number): number {
  const target = value * factor;
  if (parameter.type === 'float') return clamp(parameter, target);
  const isUp = target > value;
  return clamp(parameter, isUp ? Math.max(target, value + 1) : Math.min(target, value - 1));
}

function clamp({ type, min, max }: NumberParameter, value: number): number {
  return Math.min(max, Math.max(min, type === 'int' ? Math.round(value) : value));
}
