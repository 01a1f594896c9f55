import type { Message, TextPiece, TokenOrigin } from '../../../contract';
import type { DecodedToken, LanguageModel } from '../../../llm';

type Tokenizer = LanguageModel['tokenizer'];

/** Pieces with one more behind them, joined with the last where they have one origin. */
export function withPiece(pieces: readonly TextPiece[], piece: TextPiece): readonly TextPiece[] {
  const last = pieces.at(-1);
  if (last?.origin !== piece.origin) return [...pieces, piece];
  const joined = { ...last, text: last.text + piece.text, tokens: last.tokens + piece.tokens };
  return [...pieces.slice(0, -1), joined];
}

/** Text that several tokens make up only together has the origin of the last of them. */
export function pieceOf(text: string, tokens: readonly DecodedToken[]): TextPiece {
  return { text, tokens: tokens.length, origin: tokens.at(-1)?.origin ?? 'full' };
}

/** What there is of a reply that can be gone on with. */
export interface WholeText {
  readonly pieces: readonly TextPiece[];
  /** All in the pieces. */
  readonly tokens: readonly DecodedToken[];
}

/** Leaves out tokens at the end that are only a part of a letter: they come again, with the rest of it. */
export function wholeText(tokenizer: Tokenizer, decoded: readonly DecodedToken[]): WholeText {
  let count = decoded.length;
  while (count > 0 && endsInsideLetter(tokenizer, decoded.slice(0, count))) count -= 1;
  const tokens = decoded.slice(0, count);
  const stream = tokenizer.stream();
  let pieces: readonly TextPiece[] = [];
  let waiting: DecodedToken[] = [];
  for (const token of tokens) {
    waiting.push(token);
    const text = tokenizer.isSpecial(token.token) ? '' : stream.push(token.token);
    if (text === '') continue;
    pieces = withPiece(pieces, pieceOf(text, waiting));
    waiting = [];
  }
  return { pieces: waiting.length > 0 ? withPiece(pieces, pieceOf('', waiting)) : pieces, tokens };
}

function endsInsideLetter(tokenizer: Tokenizer, decoded: readonly DecodedToken[]): boolean {
  const stream = tokenizer.stream();
  for (const { token } of decoded) {
    if (!tokenizer.isSpecial(token)) stream.push(token);
  }
  return stream.end() !== '';
}

/** Tokens with the origins that the pieces of a message tell; undefined when they are not of that message. */
export function decodedTokens(
  { pieces }: Message,
  tokens: readonly number[],
): readonly DecodedToken[] | undefined {
  const origins = pieces.flatMap((piece) => new Array<TokenOrigin>(piece.tokens).fill(piece.origin));
  if (origins.length !== tokens.length) return undefined;
  return tokens.map((token, index) => ({ token, origin: origins[index] ?? 'full' }));
}
