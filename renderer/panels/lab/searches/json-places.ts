import { strings } from '../../../strings';

const WORDS = strings.lab.searches.json;

/** Where in a text of JSON things stand, as offsets. */
export interface JsonPlaces {
  /** The first place where it is no JSON, and what would be. */
  readonly fault?: { readonly offset: number; readonly message: string };
  /** Of each value, by its path: `space.lr.min`, `first.0`. */
  readonly places: ReadonlyMap<string, number>;
}

const SPACE = /\s*/y;
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/y;
const SCALAR = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.])/y;

class JsonFault extends Error {
  constructor(
    readonly offset: number,
    message: string,
  ) {
    super(message);
  }
}

/** Walks a text as JSON.parse would, which doesn't say where things are, and not always where it gave up. */
class Walker {
  private at = 0;
  readonly places = new Map<string, number>();

  constructor(private readonly text: string) {}

  walk(): void {
    this.value([]);
    this.match(SPACE);
    if (this.at < this.text.length) this.fail(WORDS.end);
  }

  private value(path: readonly string[]): void {
    this.match(SPACE);
    this.places.set(path.join('.'), this.at);
    const char = this.text[this.at];
    if (char === '{') this.list('}', () => this.member(path));
    else if (char === '[') {
      let index = 0;
      this.list(']', () => this.value([...path, String(index++)]));
    } else if (this.match(STRING) === undefined && this.match(SCALAR) === undefined) {
      this.fail(char === '"' ? WORDS.notClosed : WORDS.value);
    }
  }

  private member(path: readonly string[]): void {
    this.match(SPACE);
    const key = this.match(STRING);
    if (key === undefined) this.fail(WORDS.name);
    this.match(SPACE);
    if (this.text[this.at] !== ':') this.fail(WORDS.colon);
    this.at++;
    this.value([...path, JSON.parse(key) as string]);
  }

  private list(end: string, item: () => void): void {
    this.at++;
    this.match(SPACE);
    if (this.text[this.at] === end) {
      this.at++;
      return;
    }
    for (;;) {
      item();
      this.match(SPACE);
      const char = this.text[this.at];
      if (char !== ',' && char !== end) this.fail(WORDS.comma(end));
      this.at++;
      if (char === end) return;
    }
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.at += found.length;
    return found;
  }

  private fail(message: string): never {
    const found = /\S{0,16}/.exec(this.text.slice(this.at))?.[0];
    throw new JsonFault(this.at, WORDS.found(message, found ?? ''));
  }
}

export function jsonPlaces(text: string): JsonPlaces {
  const walker = new Walker(text);
  try {
    walker.walk();
    return { places: walker.places };
  } catch (thrown) {
    if (!(thrown instanceof JsonFault)) throw thrown;
    return { places: walker.places, fault: { offset: thrown.offset, message: thrown.message } };
  }
}

/** Of a path, or of the nearest thing around it that is there. */
export function placeOf(places: ReadonlyMap<string, number>, path: string): number {
  const parts = path.split('.');
  for (let count = parts.length; count > 0; count--) {
    const offset = places.get(parts.slice(0, count).join('.'));
    if (offset !== undefined) return offset;
  }
  return places.get('') ?? 0;
}

/** From 1 on. */
export function lineAndColumn(
  text: string,
  offset: number,
): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}
