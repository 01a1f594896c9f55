import { badInput } from '../entity-limits';

/** `key`: in backticks; `text`: in single quotes; `either`: in double quotes, which serve for both. */
export type TokenKind = 'word' | 'key' | 'text' | 'either' | 'number' | 'operator' | 'punctuation' | 'end';

export interface FilterToken {
  readonly kind: TokenKind;
  /** Without its quotes. */
  readonly text: string;
  /** Where it starts, counted from 0. */
  readonly at: number;
  /** As it stands there. */
  readonly source: string;
}

/** A filter, or one clause of an order: what messages call it, and its text. */
export interface SearchText {
  readonly name: string;
  readonly text: string;
}

const SPACE = /\s*/y;
const PATTERNS: readonly (readonly [TokenKind, RegExp])[] = [
  ['word', /[\p{L}_][\p{L}\p{N}_.]*/uy],
  ['number', /-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\p{L}\p{N}_])/uy],
  ['text', /'(?:[^']|'')*'/y],
  ['either', /"(?:[^"]|"")*"/y],
  ['key', /`[^`]*`/y],
  ['operator', /<=|>=|!=|=|<|>/y],
  ['punctuation', /[(),]/y],
];
const SHOWN_CHARACTERS = 40;

/** @throws SluiceError `bad-input` that says where. */
export function tokensOf(search: SearchText): readonly FilterToken[] {
  const { text } = search;
  const tokens: FilterToken[] = [];
  let at = skipSpace(text, 0);
  while (at < text.length) {
    const token = tokenAt(text, at);
    if (!token)
      throw unexpected(search, { kind: 'end', text: '', at, source: '' }, 'a name, a value or a comparison');
    tokens.push(token);
    at = skipSpace(text, at + token.source.length);
  }
  tokens.push({ kind: 'end', text: '', at: text.length, source: '' });
  return tokens;
}

/** What is wrong with a filter at a token: where, what was expected, and what is there. */
export function unexpected({ name, text }: SearchText, { at }: FilterToken, expected: string): Error {
  const rest = text.slice(at, at + SHOWN_CHARACTERS);
  const found = rest === '' ? 'the end' : `\`${rest}${at + rest.length < text.length ? '...' : ''}\``;
  return badInput(`${name}, character ${at + 1}: expected ${expected}, found ${found}.`);
}

function tokenAt(text: string, at: number): FilterToken | undefined {
  for (const [kind, pattern] of PATTERNS) {
    pattern.lastIndex = at;
    const [source] = pattern.exec(text) ?? [];
    if (source !== undefined) return { kind, text: unquoted(kind, source), at, source };
  }
  return undefined;
}

/** A doubled quote stands for one. */
function unquoted(kind: TokenKind, source: string): string {
  if (kind === 'text') return source.slice(1, -1).replaceAll("''", "'");
  if (kind === 'either') return source.slice(1, -1).replaceAll('""', '"');
  return kind === 'key' ? source.slice(1, -1) : source;
}

function skipSpace(text: string, from: number): number {
  SPACE.lastIndex = from;
  SPACE.exec(text);
  return SPACE.lastIndex;
}
