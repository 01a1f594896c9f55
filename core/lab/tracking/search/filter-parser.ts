import { tokensOf, unexpected, type FilterToken, type SearchText } from './filter-tokens';
import { DATASET_FIELDS, type FieldGroup, type FieldKind, type SearchTarget } from './search-target';

export type Operator =
  '=' | '!=' | '<' | '<=' | '>' | '>=' | 'LIKE' | 'ILIKE' | 'IN' | 'NOT IN' | 'IS NULL' | 'IS NOT NULL';

export interface Field {
  readonly group: FieldGroup;
  readonly key: string;
}

/** `value` is what the operator compares with: a list for IN, nothing for IS NULL. */
export interface Comparison {
  readonly field: Field;
  readonly operator: Operator;
  readonly value: number | string | readonly string[] | undefined;
}

export interface OrderClause {
  readonly field: Field;
  readonly isDescending: boolean;
}

const NUMBER_OPERATORS: readonly Operator[] = ['=', '!=', '<', '<=', '>', '>='];
const TEXT_OPERATORS: readonly Operator[] = ['=', '!=', 'LIKE', 'ILIKE'];
const LIST_OPERATORS: readonly Operator[] = ['IN', 'NOT IN'];
const NULL_OPERATORS: readonly Operator[] = ['IS NULL', 'IS NOT NULL'];

/**
 * Reads MLflow's filters: comparisons joined by AND, such as ``metrics.loss < 0.5 AND params.`batch size` = '32'``.
 * @throws SluiceError `bad-input` that says where in the text, what was expected and what is there.
 */
export function parseFilter(text: string, target: SearchTarget): readonly Comparison[] {
  const parser = new Parser({ name: 'filter', text }, target);
  return parser.isAtEnd() ? [] : parser.filter();
}

/** Reads one clause of an order, `metrics.loss DESC`. @throws SluiceError `bad-input`. */
export function parseOrderClause(text: string, target: SearchTarget): OrderClause {
  return new Parser({ name: 'order_by', text }, target).order();
}

class Parser {
  private readonly tokens: readonly FilterToken[];
  private position = 0;

  constructor(
    private readonly search: SearchText,
    private readonly target: SearchTarget,
  ) {
    this.tokens = tokensOf(search);
  }

  isAtEnd(): boolean {
    return this.next.kind === 'end';
  }

  filter(): readonly Comparison[] {
    const comparisons = [this.comparison()];
    while (!this.isAtEnd()) {
      if (!this.takeWord('AND'))
        throw this.unexpected('AND or the end (filters know no OR and no NOT before a name)');
      comparisons.push(this.comparison());
    }
    return comparisons;
  }

  order(): OrderClause {
    const field = this.field();
    const isDescending = this.takeWord('DESC');
    if (!isDescending) this.takeWord('ASC');
    if (!this.isAtEnd()) throw this.unexpected('ASC, DESC or the end');
    return { field, isDescending };
  }

  private comparison(): Comparison {
    const field = this.field();
    const operators = this.operatorsOf(field);
    const start = this.next;
    const operator = this.operator();
    if (!operator || !operators.includes(operator)) {
      throw this.unexpected(`one of ${operators.join(', ')} after ${nameOf(field)}`, start);
    }
    return { field, operator, value: this.valueFor(field, operator) };
  }

  private field(): Field {
    const token = this.next;
    if (token.kind === 'word') return this.dottedField(token);
    if (token.kind === 'either' || token.kind === 'key') {
      this.position += 1;
      return this.known({ group: 'attributes', key: token.text }, token);
    }
    throw this.unexpected(`the name of a field, such as ${this.examples()}`);
  }

  private dottedField(token: FilterToken): Field {
    this.position += 1;
    const dot = token.text.indexOf('.');
    if (dot < 0) return this.known({ group: 'attributes', key: token.text }, token);
    const prefix = token.text.slice(0, dot);
    const group = Object.hasOwn(this.target.groups, prefix) ? this.target.groups[prefix] : undefined;
    if (!group)
      throw this.unexpected(`one of ${Object.keys(this.target.groups).join(', ')} before the dot`, token);
    if (dot + 1 < token.text.length) return this.known({ group, key: token.text.slice(dot + 1) }, token);
    const quoted = this.next;
    const isBeside = quoted.at === token.at + token.source.length;
    if (!isBeside || (quoted.kind !== 'either' && quoted.kind !== 'key')) {
      throw this.unexpected(`a key after "${token.text}"; one with other characters stands in backticks`);
    }
    this.position += 1;
    return this.known({ group, key: quoted.text }, token);
  }

  private known(field: Field, at: FilterToken): Field {
    const { group, key } = field;
    if (group !== 'attributes' && group !== 'datasets') return field;
    const known = group === 'attributes' ? this.target.attributes : DATASET_FIELDS;
    if (Object.hasOwn(known, key)) return field;
    const what = group === 'attributes' ? `an attribute of a ${this.target.what}` : 'a field of a dataset';
    throw this.unexpected(`${what} (${Object.keys(known).join(', ')})`, at);
  }

  private operatorsOf({ group, key }: Field): readonly Operator[] {
    if (kindOf({ group, key }, this.target) === 'number') return NUMBER_OPERATORS;
    return group === 'params' || group === 'tags'
      ? [...TEXT_OPERATORS, ...NULL_OPERATORS]
      : [...TEXT_OPERATORS, ...LIST_OPERATORS];
  }

  private operator(): Operator | undefined {
    const { kind, text } = this.next;
    if (kind === 'operator') {
      this.position += 1;
      return text as Operator;
    }
    for (const word of ['LIKE', 'ILIKE', 'IN'] as const) if (this.takeWord(word)) return word;
    if (this.takeWord('NOT')) return this.takeWord('IN') ? 'NOT IN' : undefined;
    if (!this.takeWord('IS')) return undefined;
    const isNot = this.takeWord('NOT');
    if (!this.takeWord('NULL')) return undefined;
    return isNot ? 'IS NOT NULL' : 'IS NULL';
  }

  private valueFor(field: Field, operator: Operator): Comparison['value'] {
    if (NULL_OPERATORS.includes(operator)) return undefined;
    if (LIST_OPERATORS.includes(operator)) return this.list();
    if (kindOf(field, this.target) === 'text') return this.text();
    const { kind, text } = this.next;
    if (kind !== 'number') throw this.unexpected(`a number to compare ${nameOf(field)} with`);
    this.position += 1;
    return Number(text);
  }

  private list(): readonly string[] {
    this.punctuation('(');
    const texts = [this.text()];
    while (this.next.text === ',') {
      this.position += 1;
      texts.push(this.text());
    }
    this.punctuation(')');
    return texts;
  }

  private text(): string {
    const { kind, text } = this.next;
    if (kind !== 'text' && kind !== 'either') throw this.unexpected("a text in quotes, such as 'this'");
    this.position += 1;
    return text;
  }

  private punctuation(mark: string): void {
    if (this.next.kind !== 'punctuation' || this.next.text !== mark) throw this.unexpected(`"${mark}"`);
    this.position += 1;
  }

  private takeWord(word: string): boolean {
    const isThere = this.next.kind === 'word' && this.next.text.toUpperCase() === word;
    if (isThere) this.position += 1;
    return isThere;
  }

  /** The last token is the end, and nothing moves past it. */
  private get next(): FilterToken {
    return this.tokens[this.position]!;
  }

  private examples(): string {
    const group = Object.keys(this.target.related)[0];
    return `${group}.name or ${Object.keys(this.target.attributes)[0]}`;
  }

  private unexpected(expected: string, at: FilterToken = this.next): Error {
    return unexpected(this.search, at, expected);
  }
}

export function kindOf({ group, key }: Field, target: SearchTarget): FieldKind {
  if (group === 'metrics') return 'number';
  return group === 'attributes' ? target.attributes[key]!.kind : 'text';
}

function nameOf({ group, key }: Field): string {
  return `${group}.${/^[\p{L}\p{N}_.]+$/u.test(key) ? key : `\`${key}\``}`;
}
