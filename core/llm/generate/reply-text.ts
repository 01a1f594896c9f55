import type { TextStream } from '../tokenizer/text-stream';
import type { Tokenizer } from '../tokenizer/tokenizer';
import { StopFilter } from './stop-filter';

/** Text that can be shown, and the tokens whose last bytes it waited for. */
export interface TextPiece {
  readonly text: string;
  readonly tokens: readonly number[];
}

/** The text of a reply as its tokens come: whole letters, nothing of a stop string, no special tokens. */
export class ReplyText {
  /** All that was given out. */
  text = '';
  private tokens: number[] = [];
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
  push(token: number): TextPiece | undefined {
    this.tokens.push(token);
    return this.piece(this.filter.push(this.tokenizer.isSpecial(token) ? '' : this.stream.push(token)));
  }

  /** What is left. */
  end(): TextPiece | undefined {
    return this.piece(this.filter.push(this.stream.end()) + this.filter.end());
  }

  private piece(text: string): TextPiece | undefined {
    if (text === '') return undefined;
    this.text += text;
    const { tokens } = this;
    this.tokens = [];
    return { text, tokens };
  }
}
