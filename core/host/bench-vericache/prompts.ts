import { ChatTemplate, type LanguageModel } from '../../llm';

const QUESTION = '\n\nSum up the text above in detail, point by point.';
const PLACE = '\u0001text\u0001';

/** Prompts of a given length: a piece of real text with a question about it, or the text alone for a model without chat. */
export class Prompts {
  private readonly before: readonly number[];
  private readonly text: readonly number[];
  private readonly after: readonly number[];

  constructor({ tokenizer, file }: LanguageModel, text: string) {
    const encode = (part: string): readonly number[] => tokenizer.encode(part, { addBos: false });
    this.text = encode(text);
    if (tokenizer.chatTemplate === undefined) {
      this.before = tokenizer.encode('', { addBos: true });
      this.after = [];
      return;
    }
    const template = new ChatTemplate(file, tokenizer.chatTemplate);
    const [before = '', after = ''] = template
      .render([{ role: 'user', content: `${PLACE}${QUESTION}` }], tokenizer)
      .split(PLACE);
    this.before = encode(before);
    this.after = encode(after);
  }

  /** Tokens of the text. */
  get textTokens(): number {
    return this.text.length;
  }

  /** @param start in the text, which is gone through again from its beginning past its end. */
  of(start: number, tokens: number): readonly number[] {
    const own = tokens - this.before.length - this.after.length;
    const from = start % Math.max(1, this.text.length - own);
    return [...this.before, ...this.text.slice(from, from + own), ...this.after];
  }
}
