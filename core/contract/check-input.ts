import { SluiceError } from './errors';

/** Far above what any request carries; arrays of numbers travel as typed arrays, which count as one. */
const MOST_VALUES = 100_000;
const MOST_LEVELS = 64;
const MOST_FAULTS = 20;
const MOST_FAULT_LETTERS = 300;

/**
 * Refuses an input that would be expensive or endless to check: too many values, nested too deep, going round in
 * circles, an array that is longer than what it holds. Schemas look at every element before they count them.
 * @param what the request's name, for the message.
 * @throws SluiceError `bad-input`.
 */
function checkInputSize(what: string, input: unknown): void {
  let values = 1;
  const count = (more: number): void => {
    values += more;
    if (values > MOST_VALUES) refuse(what, `more than ${MOST_VALUES} values`);
  };
  let level: unknown[] = [input];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MOST_LEVELS) refuse(what, `values nested more than ${MOST_LEVELS} deep, or in a circle`);
    const next: unknown[] = [];
    for (const value of level) for (const member of membersOf(value, count)) next.push(member);
    level = next;
  }
}

function membersOf(value: unknown, count: (more: number) => void): readonly unknown[] {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return [];
  if (Array.isArray(value)) {
    // By its length: an array of four billion holes arrives as a few bytes.
    count(value.length);
    return value as readonly unknown[];
  }
  // No request has a Map or a Set: schemas refuse them unseen.
  const members = Object.values(value);
  count(members.length);
  return members;
}

function refuse(what: string, found: string): never {
  throw new SluiceError('bad-input', `${what}: expected the input of one request, found ${found}.`);
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** As much of a zod schema as is used: the contract brings no zod into the renderer. */
interface Schema<T> {
  readonly safeParse: (
    input: unknown,
  ) =>
    | { readonly success: true; readonly data: T }
    | { readonly success: false; readonly error: { readonly issues: readonly Issue[] } };
}

/**
 * What a schema makes of an input that may be anything structured clone or MessagePack carries.
 * @param what the request's name, for the message.
 * @throws SluiceError `bad-input` that lists the faults with their paths.
 */
export function checkInput<T>(what: string, schema: Schema<T>, input: unknown): T {
  checkInputSize(what, input);
  const parsed = parse(what, schema, input);
  if (parsed.success) return parsed.data;
  const faults = faultTexts(parsed.error.issues);
  throw new SluiceError('bad-input', `${what}: ${faults.join('; ')}.`, { request: what, faults });
}

function parse<T>(what: string, schema: Schema<T>, input: unknown): ReturnType<Schema<T>['safeParse']> {
  try {
    return schema.safeParse(input);
  } catch (cause) {
    // Some of zod's checks compare `length` of what has one, which an object may have made incomparable.
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new SluiceError(
      'bad-input',
      `${what}: expected the input of one request, found values that can't be compared: ${problem}.`,
      { request: what },
      { cause },
    );
  }
}

/** A line for each fault that a schema found, as many and as long as a person reads. */
export function faultTexts(issues: readonly Issue[], root = 'input'): readonly string[] {
  const shown = issues
    .slice(0, MOST_FAULTS)
    .map(({ path, message }) => shorten(`${path.map(String).join('.') || root}: ${message}`));
  return issues.length > MOST_FAULTS ? [...shown, `and ${issues.length - MOST_FAULTS} more`] : shown;
}

/** What was found where a name was expected, for a message: never all of it, whatever it is. */
export function shownName(value: unknown): string {
  return typeof value === 'string' ? shorten(value, 60) : `of type ${typeof value}`;
}

function shorten(text: string, letters = MOST_FAULT_LETTERS): string {
  return text.length > letters ? `${text.slice(0, letters)}...` : text;
}
