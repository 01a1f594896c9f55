const SAFE = /^[A-Za-z0-9_@%+=:,./-]+$/;

/** Words as a POSIX shell would have to be given them. */
export function shellQuoted(words: readonly string[]): string {
  return words.map((word) => (SAFE.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(' ');
}

/** Words of a command line, those that belong to an option behind it in its line. */
export function argumentLines(words: readonly string[]): readonly (readonly string[])[] {
  const lines: string[][] = [];
  for (const word of words) {
    const line = lines.at(-1);
    const isOption = /^--?[A-Za-z]/.test(word);
    if (line === undefined || isOption) lines.push([word]);
    else line.push(word);
  }
  return lines;
}

/** Words parted as a POSIX shell parts them, nothing expanded; a quote that is not closed ends with the text. */
export function shellWords(text: string): readonly string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let at = 0; at < text.length; at++) {
    const letter = text[at]!;
    if (quote === "'") {
      if (letter === "'") quote = '';
      else word = (word ?? '') + letter;
    } else if (letter === '\\' && at + 1 < text.length) {
      at++;
      word = (word ?? '') + text[at]!;
    } else if (quote === '"') {
      if (letter === '"') quote = '';
      else word = (word ?? '') + letter;
    } else if (letter === "'" || letter === '"') {
      quote = letter;
      word ??= '';
    } else if (/\s/.test(letter)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + letter;
  }
  return word === undefined ? words : [...words, word];
}

/** `A=1 B='two words'`; the first word that is none, or the variables. */
export function parseVariables(
  text: string,
): { readonly bad: string } | { readonly variables: Readonly<Record<string, string>> } {
  const variables: Record<string, string> = {};
  for (const word of shellWords(text)) {
    const match = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s.exec(word);
    if (match?.[1] === undefined) return { bad: word };
    variables[match[1]] = match[2] ?? '';
  }
  return { variables };
}
