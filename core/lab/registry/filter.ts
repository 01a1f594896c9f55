import { SluiceError } from '../../contract';
import { quote } from './names';

export type Comparator = '=' | '!=' | '<' | '<=' | '>' | '>=' | 'LIKE' | 'ILIKE' | 'IN' | 'NOT IN';

/** One comparison of a filter; all of them must hold. */
export interface Condition {
  readonly kind: 'attribute' | 'tag';
  readonly key: string;
  readonly comparator: Comparator;
  readonly value: string | number | readonly string[];
}

const MOST_CHARACTERS = 10_000;
const MOST_CONDITIONS = 100;

const IDENTIFIER = /\s*(?:(\w+)\s*\.\s*)?(?:`([^`]+)`|"([^"]+)"|([\w./-]+))/y;
const COMPARATOR = /\s*(!=|<=|>=|=|<|>|NOT\s+IN\b|IN\b|LIKE\b|ILIKE\b)/iy;
const TEXT = /\s*(?:'((?:[^']|'')*)'|"((?:[^"]|"")*)")/y;
const NUMBER = /\s*(-?\d{1,15})(?![\w.])/y;
const OPEN = /\s*\(/y;
const COMMA = /\s*,/y;
const CLOSE = /\s*\)/y;
const AND = /\s+AND(?=\s)/iy;
const END = /\s*$/y;

/**
 * Reads MLflow's filters of models and their versions: `name LIKE 'a%' AND tags.owner = 'me' AND run_id IN ('x', 'y')`.
 * @throws SluiceError `bad-input` with the place where it can't be understood.
 */
export function parseFilter(filter: string): readonly Condition[] {
  if (filter.length > MOST_CHARACTERS) {
    throw new SluiceError(
      'bad-input',
      `Filter: expected at most ${MOST_CHARACTERS} characters, found ${filter.length}.`,
    );
  }
  const reader = new Reader(filter);
  const conditions: Condition[] = [];
  if (reader.take(END)) return conditions;
  do {
    if (conditions.length === MOST_CONDITIONS) throw reader.fault(`at most ${MOST_CONDITIONS} comparisons`);
    conditions.push(readCondition(reader));
  } while (reader.take(AND));
  reader.expect(END, '"AND" and another comparison, or the end');
  return conditions;
}

function readCondition(reader: Reader): Condition {
  const [, scope = 'attribute', ...names] = reader.expect(
    IDENTIFIER,
    'an attribute or a tag like tags.owner',
  );
  const key = names.find((name) => name !== undefined) ?? '';
  const kind = /^tags?$/.test(scope) ? 'tag' : /^attributes?$/.test(scope) ? 'attribute' : undefined;
  if (kind === undefined) throw reader.fault(`"tags." or "attributes." instead of ${quote(scope)}`);
  const [, written = ''] = reader.expect(
    COMPARATOR,
    'a comparison (=, !=, <, <=, >, >=, LIKE, ILIKE, IN, NOT IN)',
  );
  const comparator = written.toUpperCase().replace(/\s+/, ' ') as Comparator;
  const isList = comparator === 'IN' || comparator === 'NOT IN';
  return { kind, key, comparator, value: isList ? readList(reader) : readValue(reader) };
}

function readValue(reader: Reader): string | number {
  const [, number] = reader.take(NUMBER) ?? [];
  return number === undefined ? readText(reader) : Number(number);
}

function readText(reader: Reader): string {
  const [, single, double] = reader.expect(TEXT, "a value in quotes ('...')");
  return single?.replaceAll("''", "'") ?? double?.replaceAll('""', '"') ?? '';
}

function readList(reader: Reader): readonly string[] {
  const values: string[] = [];
  reader.expect(OPEN, "a list like ('a', 'b')");
  do values.push(readText(reader));
  while (reader.take(COMMA));
  reader.expect(CLOSE, '")" after the list');
  return values;
}

/** Takes a text apart from its start. */
class Reader {
  private at = 0;

  constructor(private readonly text: string) {}

  take(pattern: RegExp): readonly (string | undefined)[] | undefined {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text);
    if (match) this.at = pattern.lastIndex;
    return match ?? undefined;
  }

  expect(pattern: RegExp, what: string): readonly (string | undefined)[] {
    const match = this.take(pattern);
    if (match) return match;
    throw this.fault(what);
  }

  fault(expected: string): SluiceError {
    const rest = this.text.slice(this.at).trim();
    const found = rest === '' ? 'its end' : quote(rest.slice(0, 60));
    return new SluiceError(
      'bad-input',
      `Filter, at character ${this.at}: expected ${expected}, found ${found}.`,
    );
  }
}
