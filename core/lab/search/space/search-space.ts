import { z } from 'zod';

export type ParameterValue = number | string | boolean;
/** What a trial is started with; optional parameters whose condition is not met are absent. */
export type Parameters = Readonly<Record<string, ParameterValue>>;

/** A part of a point: the rest is drawn. */
export type GivenParameters = Readonly<Record<string, ParameterValue | undefined>>;

interface Conditional {
  /** The parameter is there only where another one has one of these values. */
  readonly when?: { readonly parameter: string; readonly is: readonly ParameterValue[] };
}
export interface NumberParameter extends Conditional {
  readonly type: 'float' | 'int';
  /** Both ends belong to it. */
  readonly min: number;
  readonly max: number;
  /** `log`: equal factors are equally likely. */
  readonly scale: 'linear' | 'log';
}
interface ChoiceParameter extends Conditional {
  readonly type: 'choice';
  readonly values: readonly ParameterValue[];
}
interface ConstantParameter extends Conditional {
  readonly type: 'constant';
  readonly value: ParameterValue;
}
export type Parameter = NumberParameter | ChoiceParameter | ConstantParameter;
/** Whatever a condition names stands before the parameter that has the condition. */
export type SearchSpace = ReadonlyMap<string, Parameter>;

const MOST_PARAMETERS = 200;
const NAME = /^[A-Za-z_][A-Za-z0-9_.-]{0,99}$/;

export const parameterValueSchema = z.union(
  [z.number(), z.string().max(500), z.boolean()],
  'expected a number, a text or true/false',
);
const when = z
  .strictObject({
    parameter: z.string(),
    is: z.union([parameterValueSchema.transform((one) => [one]), z.array(parameterValueSchema).min(1)]),
  })
  .exactOptional();
const scale = z.enum(['linear', 'log']).default('linear');
const parameterSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('float'), min: z.number(), max: z.number(), scale, when }),
  z.strictObject({ type: z.literal('int'), min: z.int(), max: z.int(), scale, when }),
  z.strictObject({ type: z.literal('choice'), values: z.array(parameterValueSchema).min(1).max(1000), when }),
  z.strictObject({ type: z.literal('constant'), value: parameterValueSchema, when }),
]);

/**
 * Reads `{"lr": {"type": "float", "min": 1e-4, "max": 0.1, "scale": "log"}, "epochs": 10, ...}`: types `float` and
 * `int` (min, max, scale), `choice` (values) and `constant` (value; a bare value is one too), each with an optional
 * `"when": {"parameter": "optimizer", "is": ["sgd"]}`. Every fault is an issue of its own.
 */
export const searchSpaceSchema = z.record(z.string(), z.unknown()).transform((raw, context): SearchSpace => {
  const fault = (path: readonly PropertyKey[], message: string): void => {
    context.issues.push({ code: 'custom', path: [...path], message, input: raw });
  };
  const names = Object.keys(raw);
  if (names.length === 0) fault([], 'expected at least one parameter');
  if (names.length > MOST_PARAMETERS) {
    fault([], `expected at most ${MOST_PARAMETERS} parameters, found ${names.length}`);
  }
  const parameters = new Map<string, Parameter>();
  for (const [name, entry] of Object.entries(raw)) {
    if (!NAME.test(name))
      fault([name], 'expected a name of letters, digits and _ . - that begins with a letter or _');
    const parsed = parameterSchema.safeParse(withType(entry));
    if (parsed.success) parameters.set(name, parsed.data);
    else for (const { path, message } of parsed.error.issues) fault([name, ...path], message);
  }
  for (const [name, parameter] of parameters) {
    checkRange(parameter, (key, message) => fault([name, key], message));
    checkCondition(name, parameter, raw, parameters, (message) =>
      fault([name, 'when', 'parameter'], message),
    );
  }
  return inOrder(parameters, (name) => fault([name, 'when'], 'the conditions form a circle'));
});

function withType(entry: unknown): unknown {
  return entry === null || typeof entry !== 'object' ? { type: 'constant', value: entry } : entry;
}

function checkRange(parameter: Parameter, fault: (key: string, message: string) => void): void {
  if (parameter.type === 'choice') {
    if (new Set(parameter.values).size < parameter.values.length) fault('values', 'expected each value once');
    return;
  }
  if (parameter.type === 'constant') return;
  const { min, max } = parameter;
  if (min >= max) fault('min', `expected less than max, ${max}, found ${min}`);
  if (parameter.scale === 'log' && min <= 0) {
    fault('min', `expected more than 0, because the scale is log, found ${min}`);
  }
}

function checkCondition(
  name: string,
  { when: condition }: Parameter,
  raw: Readonly<Record<string, unknown>>,
  parameters: SearchSpace,
  fault: (message: string) => void,
): void {
  if (!condition) return;
  const { parameter: other, is } = condition;
  if (other === name) {
    fault('a parameter can not depend on itself');
    return;
  }
  if (!Object.hasOwn(raw, other)) {
    fault(`there is no parameter "${other}"`);
    return;
  }
  const target = parameters.get(other);
  if (!target) return;
  if (target.type === 'float') {
    fault(`"${other}" is a float; expected an int, a choice or a constant`);
    return;
  }
  const never = is.filter((one) => !canBe(target, one));
  if (never.length > 0) fault(`"${other}" is never ${never.map((one) => JSON.stringify(one)).join(', ')}`);
}

/** Why values can't be a part of a point of the space, one text each. */
export function faultsOfGiven(space: SearchSpace, given: GivenParameters): readonly string[] {
  return Object.entries(given).flatMap(([name, found]) => {
    const parameter = space.get(name);
    if (!parameter) return [`there is no parameter "${name}"`];
    if (found === undefined || isWithin(parameter, found)) return [];
    return [`${name}: expected ${rangeText(parameter)}, found ${JSON.stringify(found)}`];
  });
}

function isWithin(parameter: Parameter, found: ParameterValue): boolean {
  if (parameter.type !== 'float') return canBe(parameter, found);
  return typeof found === 'number' && found >= parameter.min && found <= parameter.max;
}

function rangeText(parameter: Parameter): string {
  if (parameter.type === 'constant') return JSON.stringify(parameter.value);
  if (parameter.type === 'choice')
    return `one of ${parameter.values.map((one) => JSON.stringify(one)).join(', ')}`;
  return `${parameter.type === 'int' ? 'a whole number' : 'a number'} from ${parameter.min} to ${parameter.max}`;
}

/** Whether a parameter can have a value; of a float, none is certain to come. */
export function canBe(target: Parameter, one: ParameterValue): boolean {
  if (target.type === 'constant') return target.value === one;
  if (target.type === 'choice') return target.values.includes(one);
  return typeof one === 'number' && Number.isInteger(one) && one >= target.min && one <= target.max;
}

/** In the order given, but conditions after what they name. */
function inOrder(parameters: SearchSpace, circle: (name: string) => void): SearchSpace {
  const ordered = new Map<string, Parameter>();
  const open = new Set<string>();
  const place = (name: string): void => {
    const parameter = parameters.get(name);
    if (!parameter || ordered.has(name)) return;
    if (open.has(name)) {
      circle(name);
      return;
    }
    open.add(name);
    const other = parameter.when?.parameter;
    if (other !== undefined && other !== name) place(other);
    ordered.set(name, parameter);
  };
  for (const name of parameters.keys()) place(name);
  return ordered;
}
