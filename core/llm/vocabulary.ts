import { SluiceError } from '../contract';

/** What the numbers of tokens mean to a model. */
export interface Vocabulary {
  /** For messages. */
  readonly file: string;
  /** Logits of a token. */
  readonly size: number;
  /** As the model spells them, by number. */
  readonly tokens: readonly (string | undefined)[];
}

/** @throws SluiceError `bad-input` unless `draft` means the same by every token as `main`. */
export function requireSameVocabulary(main: Vocabulary, draft: Vocabulary): void {
  const difference = differenceOf(main, draft);
  if (difference === undefined) return;
  throw new SluiceError(
    'bad-input',
    `${draft.file} can't draft for ${main.file}: ${difference}. Choose a draft model of the same family, or none.`,
    { main: main.file, draft: draft.file },
  );
}

function differenceOf(main: Vocabulary, draft: Vocabulary): string | undefined {
  if (main.size !== draft.size) return `expected a vocabulary of ${main.size} tokens, found ${draft.size}`;
  const tokens = Math.max(main.tokens.length, draft.tokens.length);
  for (let token = 0; token < tokens; token += 1) {
    const [expected, found] = [main.tokens[token], draft.tokens[token]];
    if (expected !== found) return `expected token ${token} to be ${shown(expected)}, found ${shown(found)}`;
  }
  return undefined;
}

function shown(token: string | undefined): string {
  return token === undefined ? 'none' : JSON.stringify(token);
}
