import { TOKEN_ORIGINS } from '../../core/contract';
import type { TextPiece, TokenOrigin } from '../../core/contract';

/** A run of pieces; never changes once the next one has begun. */
export type Chunk = readonly TextPiece[];
/** What stands between two line breaks. */
export type Paragraph = readonly Chunk[];
/** So many paragraphs, the last section perhaps fewer. */
export type Section = readonly Paragraph[];

/**
 * A message's text, laid out so that a piece at its end changes its last chunk and what holds that, and nothing else:
 * a view that compares by identity draws the rest once.
 */
export interface ReplyText {
  readonly sections: readonly Section[];
  /** Tokens by where they come from. */
  readonly tokens: Readonly<Record<TokenOrigin, number>>;
}

const SECTION_PARAGRAPHS = 24;
const CHUNK_PIECES = 32;
/** Pieces of one origin grow together up to here: a long one would be laid out anew at every token. */
const PIECE_CHARS = 160;

export const EMPTY_TEXT: ReplyText = {
  sections: [],
  tokens: Object.fromEntries(TOKEN_ORIGINS.map((origin) => [origin, 0])) as ReplyText['tokens'],
};

/** The text with pieces added at its end. The given text stays as it is. */
export function appendPieces(text: ReplyText, pieces: readonly TextPiece[]): ReplyText {
  if (pieces.length === 0) return text;
  const tokens = { ...text.tokens };
  let { sections } = text;
  for (const piece of pieces) {
    tokens[piece.origin] += piece.tokens;
    piece.text.split('\n').forEach((line, index) => {
      if (index > 0 || sections.length === 0) sections = withParagraph(sections);
      if (line !== '') sections = withPiece(sections, { ...piece, text: line });
    });
  }
  return { sections, tokens };
}

/** The list with its last item changed. */
function withLast<T>(list: readonly T[], change: (last: T) => T): readonly T[] {
  const last = list.at(-1);
  return last === undefined ? list : [...list.slice(0, -1), change(last)];
}

function withParagraph(sections: readonly Section[]): readonly Section[] {
  const last = sections.at(-1);
  if (last === undefined || last.length >= SECTION_PARAGRAPHS) return [...sections, [[]]];
  return withLast(sections, (section) => [...section, []]);
}

function withPiece(sections: readonly Section[], piece: TextPiece): readonly Section[] {
  return withLast(sections, (section) => withLast(section, (paragraph) => grown(paragraph, piece)));
}

function grown(paragraph: Paragraph, piece: TextPiece): Paragraph {
  const chunk = paragraph.at(-1);
  if (chunk === undefined) return [[piece]];
  const previous = chunk.at(-1);
  if (previous?.origin === piece.origin && previous.text.length + piece.text.length <= PIECE_CHARS) {
    const joined = { ...piece, text: previous.text + piece.text, tokens: previous.tokens + piece.tokens };
    return withLast(paragraph, () => withLast(chunk, () => joined));
  }
  if (chunk.length >= CHUNK_PIECES) return [...paragraph, [piece]];
  return withLast(paragraph, () => [...chunk, piece]);
}

/** The text without its origins. */
export function plainText({ sections }: ReplyText): string {
  const lines = sections.flat().map((paragraph) => paragraph.flat());
  return lines.map((pieces) => pieces.map(({ text }) => text).join('')).join('\n');
}

/** Same text from the same origins, however it came in pieces. */
export function isSameText(a: ReplyText, b: ReplyText): boolean {
  return (
    TOKEN_ORIGINS.every((origin) => a.tokens[origin] === b.tokens[origin]) && plainText(a) === plainText(b)
  );
}
