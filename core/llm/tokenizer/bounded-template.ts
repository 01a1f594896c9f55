import { Script } from 'node:vm';

import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja';

import { strftime } from './strftime';

/** Templates in use take milliseconds. */
const DEADLINE_MS = 2000;
/** That of Jinja's own sandbox (jinja2/sandbox.py, MAX_RANGE). */
const MAX_RANGE = 100_000;
/** What a rendering may make: letters of text, with more for a longer conversation. */
const BASE_LETTERS = 1 << 26;
const LETTERS_PER_INPUT_LETTER = 256;
/** What a step, and an entry of a list, cost in memory, as letters. */
const STEP_LETTERS = 64;
const ENTRY_LETTERS = 16;

/** A template took longer, or made more, than any in use. */
export class TemplateBoundError extends Error {}

/**
 * A Jinja template as transformers sets it up, run as what it is: a program by whoever made the model. Its time is
 * bounded by a deadline that ends the thread's work wherever it is, its memory by what its steps make.
 */
export class BoundedTemplate {
  private readonly program: ReturnType<typeof parse>;

  /** @throws Error as the parser says, `TemplateBoundError`. */
  constructor(text: string) {
    this.program = withDeadline(() => parse(tokenize(text, { lstrip_blocks: true, trim_blocks: true })));
  }

  /**
   * @param values names and what they stand for. @param inputLetters of all texts in them.
   * @param now what `strftime_now` tells.
   * @throws Error as the template says, `TemplateBoundError`.
   */
  render(values: Readonly<Record<string, unknown>>, inputLetters: number, now: Date): string {
    const environment = new Environment();
    const names = { ...CONSTANTS, range, strftime_now: (format: unknown) => strftime(now, String(format)) };
    for (const [name, value] of Object.entries({ ...names, ...values })) environment.set(name, value);
    const interpreter = new BoundedInterpreter(
      environment,
      BASE_LETTERS + LETTERS_PER_INPUT_LETTER * inputLetters,
    );
    return withDeadline(() => interpreter.run(this.program).value as string);
  }
}

const CONSTANTS: Readonly<Record<string, unknown>> = {
  ...{ true: true, false: false, none: null, True: true, False: false, None: null },
  raise_exception: (message: unknown) => {
    throw new Error(String(message));
  },
};

/** Python's `range`, no longer than its sandboxed one. */
function range(first: unknown, second?: unknown, third: unknown = 1): number[] {
  const [start, stop, step] = (second === undefined ? [0, first, third] : [first, second, third]).map(Number);
  const length = Math.max(0, Math.ceil((stop! - start!) / step!));
  if (length <= MAX_RANGE) return Array.from({ length }, (_, index) => start! + index * step!);
  throw new TemplateBoundError(`a range of ${length} numbers; up to ${MAX_RANGE} are allowed`);
}

type Step = Parameters<Interpreter['evaluate']>[0];
type Value = ReturnType<Interpreter['evaluate']>;
/** They give a value that is there already. */
const MAKES_NOTHING: readonly (string | undefined)[] = ['Identifier', 'MemberExpression'];

class BoundedInterpreter extends Interpreter {
  constructor(
    environment: Environment,
    private lettersLeft: number,
  ) {
    super(environment);
  }

  override evaluate(step: Step, environment: Environment): Value {
    this.charge(STEP_LETTERS);
    const made = super.evaluate(step, environment);
    if (!MAKES_NOTHING.includes(step?.type)) this.charge(lettersOf(made.value));
    return made;
  }

  private charge(letters: number): void {
    this.lettersLeft -= letters;
    if (this.lettersLeft < 0) throw new TemplateBoundError('it makes more text than any conversation needs');
  }
}

function lettersOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (Array.isArray(value)) return value.length * ENTRY_LETTERS;
  return value instanceof Map ? value.size * ENTRY_LETTERS : 0;
}

const CALL = new Script('work()');

/** A deadline of `vm` ends what runs below it, loops of the interpreter and of regular expressions alike. */
function withDeadline<T>(work: () => T): T {
  let result: { readonly value: T } | undefined;
  try {
    CALL.runInNewContext({ work: () => (result = { value: work() }) }, { timeout: DEADLINE_MS });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') {
      throw new TemplateBoundError(`it takes longer than ${DEADLINE_MS / 1000} s`, { cause });
    }
    // Of the stack, or of a string.
    if (cause instanceof RangeError) throw new TemplateBoundError(cause.message, { cause });
    throw cause;
  }
  return result!.value;
}
