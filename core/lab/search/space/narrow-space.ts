import { z } from 'zod';

import { SluiceError } from '../../../contract';
import {
  canBe,
  faultsOfGiven,
  parameterValueSchema,
  type NumberParameter,
  type Parameter,
  type ParameterValue,
  type SearchSpace,
} from './search-space';

const name = z.string().min(1).max(100);

/** A part of a parameter's range, both ends in it, or some of its values. */
export const brushSchema = z.union(
  [
    z.strictObject({ parameter: name, min: z.number(), max: z.number() }),
    z.strictObject({ parameter: name, values: z.array(parameterValueSchema).max(1000) }),
  ],
  'expected {parameter, min, max} or {parameter, values}',
);
export type Brush = z.infer<typeof brushSchema>;

/** What ends drawn on an axis may be beyond it: positions on a logarithmic one come back a little off. */
const ROUNDING = 1e-9;

/**
 * The part of a space that brushes leave: scales stay, a parameter left one value is a constant, and one whose condition
 * can not be met any more is gone.
 * @throws SluiceError `bad-input`, naming every fault.
 */
export function narrowSpace(space: SearchSpace, brushes: readonly Brush[]): SearchSpace {
  const faults: string[] = [];
  const brushOf = new Map<string, Brush>();
  for (const brush of brushes) {
    const { parameter } = brush;
    if (!space.has(parameter)) {
      faults.push(`there is no parameter "${parameter}" (there are ${[...space.keys()].join(', ')})`);
    } else if (brushOf.has(parameter)) faults.push(`${parameter}: expected one brush, found several`);
    brushOf.set(parameter, brush);
  }
  const narrowed = new Map<string, Parameter>();
  // What a condition names stands before what has the condition.
  for (const [parameter, whole] of space) {
    const brush = brushOf.get(parameter);
    const part = brush ? partOf(whole, brush) : whole;
    if (typeof part === 'string') faults.push(`${parameter}: ${part}`);
    const left = asPossible(typeof part === 'string' ? whole : part, narrowed);
    if (left) narrowed.set(parameter, left);
    else if (brush) {
      faults.push(
        `${parameter}: it is there only for values of "${whole.when?.parameter}" that the brushes leave out`,
      );
    }
  }
  if (brushes.length === 0) faults.push('expected at least one brush, found none');
  if (faults.length > 0)
    throw new SluiceError('bad-input', `A part of the space: ${faults.join('; ')}.`, { faults });
  return narrowed;
}

/**
 * The settings of a search, within a part of its space. Parameters to begin with that are outside of it are left out.
 * @param settings as they were asked for. @param space that they hold. @throws as `narrowSpace`.
 */
export function narrowSettings(
  settings: Readonly<Record<string, unknown>>,
  space: SearchSpace,
  brushes: readonly Brush[],
): Record<string, unknown> {
  const narrowed = narrowSpace(space, brushes);
  const first = z.array(z.record(z.string(), parameterValueSchema)).default([]).parse(settings['first']);
  return {
    ...settings,
    space: Object.fromEntries(narrowed),
    first: first.filter((given) => faultsOfGiven(narrowed, given).length === 0),
  };
}

/** @returns why it is no part, as a text. */
function partOf(whole: Parameter, brush: Brush): Parameter | string {
  if (whole.type === 'constant') return 'it is a constant, and has no parts';
  if (whole.type === 'choice') {
    if (!('values' in brush)) return 'expected some of its values, found a range';
    const { values } = whole;
    const unknown = brush.values.filter((one) => !values.includes(one));
    if (unknown.length > 0) return `expected some of ${listed(values)}, found ${listed(unknown)}`;
    const kept = values.filter((one) => brush.values.includes(one));
    if (kept.length === 0) return `expected at least one of ${listed(values)}, found none`;
    return kept.length === 1 ? constantOf(whole, kept[0]!) : { ...whole, values: kept };
  }
  if ('values' in brush) return 'expected a range from min to max, found values';
  return rangeWithin(whole, brush.min, brush.max);
}

function rangeWithin(whole: NumberParameter, from: number, to: number): Parameter | string {
  const slack = ROUNDING * Math.max(Math.abs(whole.min), Math.abs(whole.max));
  if (from > to) return `expected min up to max, found ${from} and ${to}`;
  if (from < whole.min - slack || to > whole.max + slack) {
    return `expected a part of ${whole.min} to ${whole.max}, found ${from} to ${to}`;
  }
  const isWhole = whole.type === 'int';
  const min = Math.max(whole.min, isWhole ? Math.ceil(from - slack) : from);
  const max = Math.min(whole.max, isWhole ? Math.floor(to + slack) : to);
  if (isWhole && min > max) return `there is no whole number from ${from} to ${to}`;
  if (isWhole && min === max) return constantOf(whole, min);
  if (min >= max) return `expected more than one number, found ${from} to ${to}`;
  return { ...whole, min, max };
}

function constantOf({ when }: Parameter, value: ParameterValue): Parameter {
  return { type: 'constant', value, ...(when && { when }) };
}

/** A parameter with what is left of its condition; undefined: it is never met. */
function asPossible(parameter: Parameter, space: SearchSpace): Parameter | undefined {
  const { when } = parameter;
  if (!when) return parameter;
  const target = space.get(when.parameter);
  const is = target ? when.is.filter((one) => canBe(target, one)) : [];
  return is.length === 0 ? undefined : { ...parameter, when: { ...when, is } };
}

function listed(values: readonly ParameterValue[]): string {
  return values.map((one) => JSON.stringify(one)).join(', ');
}
