import { TOKEN_ORIGINS } from '../../core/contract';
import type { TextPiece, TokenOrigin } from '../../core/contract';

/** What stands between two line breaks, in chunks that never change once the next one has begun. */
export interface Paragraph {
  readonly chunks: readonly (readonly TextPiece[])[];
}

/**
 * A message's text, laid out so that a piece at its end changes its last paragraph's last chunk and nothing else: a
 * view that compares by identity draws the rest once.
 */
export interface ReplyText {
  readonly paragraphs: readonly Paragraph[];
  /** Tokens by where they come from. */
  readonly tokens: Readonly<Record<TokenOrigin, number>>;
}

const CHUNK_PIECES = 32;
/** Pieces of one origin grow together up to here: a long one would be laid out anew at every token. */
const PIECE_CHARS = 160;

export const EMPTY_TEXT: ReplyText = {
  paragraphs: [],
  tokens: Object.fromEntries(TOKEN_ORIGINS.map((origin) => [origin, 0])) as ReplyText['tokens'],
};

/** The text with pieces added at its end. The given text stays as it is. */
export function appendPieces(text: ReplyText, pieces: readonly TextPiece[]): ReplyText {
  if (pieces.length === 0) return text;
  const paragraphs = [...text.paragraphs];
  const tokens = { ...text.tokens };
  for (const piece of pieces) {
    tokens[piece.origin] += piece.tokens;
    piece.text.split('\n').forEach((line, index) => {
      if (index > 0 || paragraphs.length === 0) paragraphs.push({ chunks: [] });
      if (line === '') return;
      const last = paragraphs.length - 1;
      paragraphs[last] = withPiece(paragraphs[last]!, { ...piece, text: line });
    });
  }
  return { paragraphs, tokens };
}

function withPiece({ chunks }: Paragraph, piece: TextPiece): Paragraph {
  const chunk = chunks.at(-1) ?? [];
  const previous = chunk.at(-1);
  const rest = chunks.slice(0, -1);
  if (previous?.origin === piece.origin && previous.text.length + piece.text.length <= PIECE_CHARS) {
    const joined = {
      ...piece,
      text: previous.text + piece.text,
      tokens: previous.tokens + piece.tokens,
    };
    return { chunks: [...rest, [...chunk.slice(0, -1), joined]] };
  }
  if (chunk.length >= CHUNK_PIECES) return { chunks: [...chunks, [piece]] };
  return { chunks: [...rest, [...chunk, piece]] };
}

/** The text without its origins. */
export function plainText({ paragraphs }: ReplyText): string {
  return paragraphs
    .map(({ chunks }) =>
      chunks
        .flat()
        .map(({ text }) => text)
        .join(''),
    )
    .join('\n');
}

/** Same text from the same origins, however it came in pieces. */
export function isSameText(a: ReplyText, b: ReplyText): boolean {
  return (
    TOKEN_ORIGINS.every((origin) => a.tokens[origin] === b.tokens[origin]) && plainText(a) === plainText(b)
  );
}
