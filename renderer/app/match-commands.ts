import type { Command } from '../panels';

const WORD_START = 3;
const INSIDE = 1;
const INITIALS = 1;
/** A word of the title counts before one of the keywords. */
const IN_TITLE = 2;

function wordsOf(text: string): readonly string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}.]+/gu) ?? [];
}

/** How well a text answers one typed word; 0: not at all. */
function scoreIn(text: string, typed: string): number {
  const words = wordsOf(text);
  if (words.some((word) => word.startsWith(typed))) return WORD_START;
  if (text.toLowerCase().includes(typed)) return INSIDE;
  return 0;
}

/** `gtm` is Go To Models, `impmod` is IMPort a MODel: starts of words, in order, words between left out. */
function isOfStarts(words: readonly string[], typed: string): boolean {
  if (typed === '') return true;
  return words.some((word, index) => {
    for (let length = 1; length <= word.length && word[length - 1] === typed[length - 1]; length++) {
      if (isOfStarts(words.slice(index + 1), typed.slice(length))) return true;
    }
    return false;
  });
}

function scoreOf({ title, keywords = '' }: Command, typed: readonly string[]): number {
  let sum = 0;
  for (const word of typed) {
    const score = Math.max(
      scoreIn(title, word) * IN_TITLE,
      scoreIn(keywords, word),
      word.length > 1 && isOfStarts(wordsOf(title), word) ? INITIALS : 0,
    );
    if (score === 0) return 0;
    sum += score;
  }
  return sum;
}

/** Commands that answer every word typed, the best first; equal ones keep their order. */
export function matchCommands(commands: readonly Command[], query: string): readonly Command[] {
  const typed = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (typed.length === 0) return commands;
  return commands
    .map((command) => ({ command, score: scoreOf(command, typed) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score)
    .map(({ command }) => command);
}

type Head = NonNullable<Command['group']> | 'recent';

/** Commands under their heads, heads in the order of their first command. Without a query the recent ones lead. */
export function groupCommands(
  commands: readonly Command[],
  recent: readonly string[],
): readonly { readonly head: Head; readonly commands: readonly Command[] }[] {
  const groups = new Map<Head, Command[]>();
  for (const id of recent) {
    const command = commands.find((other) => other.id === id);
    if (command !== undefined) groups.set('recent', [...(groups.get('recent') ?? []), command]);
  }
  for (const command of commands) {
    if (recent.includes(command.id)) continue;
    const head = command.group ?? 'do';
    groups.set(head, [...(groups.get(head) ?? []), command]);
  }
  return [...groups].map(([head, members]) => ({ head, commands: members }));
}
