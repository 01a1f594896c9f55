import type { TextStream } from '../tokenizer/text-stream';
import type { Tokenizer } from '../tokenizer/tokenizer';
import { StopFilter } from './stop-filter';
import type { DecodedToken } from './token-source';

/** Text that can be shown, and the tokens whose last bytes it waited for. */
export interface ReplyPiece {
  readonly text: string;
  readonly tokens: readonly DecodedToken[];
}

/** The text of a reply as its tokens come: whole letters, nothing of a stop string, no special tokens. */
export class ReplyText {
  /** All that was given out. */
  text = '';
  private tokens: DecodedToken[] = [];
  private readonly stream: TextStream;
  private readonly filter: StopFilter;

  constructor(
    private readonly tokenizer: Tokenizer,
    stops: readonly string[],
  ) {
    this.stream = tokenizer.stream();
    this.filter = new StopFilter(stops);
  }

  get stopped(): boolean {
    return this.filter.stopped;
  }

  /** @returns undefined while its text waits for more tokens. */
  push(decoded: DecodedToken): ReplyPiece | undefined {
    const { token } = decoded;
    this.tokens.push(decoded);
    return this.piece(this.filter.push(this.tokenizer.isSpecial(token) ? '' : this.stream.push(token)));
  }

  /** What is left. */
  end(): ReplyPiece | undefined {
    return this.piece(this.filter.push(this.stream.end()) + this.filter.end());
  }

  private piece(text: string): ReplyPiece | undefined {
    if (text === '') return undefined;
    this.text += text;
    const { tokens } = this;
    this.tokens = [];
    return { text, tokens };
  }
}
