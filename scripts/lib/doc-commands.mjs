/** What may stand behind a pipe of a shell. */
const SHELL_TOOLS = ['jq', 'node', 'grep', 'head', 'tail', 'tee', 'less', 'xargs'];
/** Marks the end of a command: redirections, further commands, remarks. */
const COMMAND_END = /\s(?:&&|;|>|#)\s.*$/;

/** Every line of a page's code that calls `sluice`, continuation lines joined. */
export function sluiceLines(markdown) {
  const lines = [];
  for (const [, block] of markdown.matchAll(/^```[^\n]*\n([\s\S]*?)^```/gm)) {
    let isOpen = false;
    for (const line of block.split('\n')) {
      const start = /^(?:\$ )?sluice (.*)$/.exec(line);
      if (start) lines.push(start[1]);
      else if (isOpen && /^\s{4,}\S/.test(line)) lines[lines.length - 1] += ` ${line.trim()}`;
      isOpen = start !== null || (isOpen && /^\s{4,}\S/.test(line));
    }
  }
  const prose = markdown.replace(/^```[\s\S]*?^```/gm, '');
  for (const [, text] of prose.matchAll(/`sluice ([^`]+)`/g)) lines.push(text.replace(/\s+/g, ' '));
  return lines;
}

/**
 * Faults of a command line or of a synopsis, with its `[...]` and alternatives parted by `|`: unknown commands and options.
 * @param program Commander's.
 */
export function faultsOf(program, line) {
  // Remarks stand apart by several spaces; what is quoted is a value.
  const text = line
    .replace(/"[^"]*"|'[^']*'/g, 'TEXT')
    .replace(/\s{3,}[^-[\s(].*$/, '')
    .replace(COMMAND_END, '');
  const faults = [];
  let parent = program;
  for (const [index, part] of alternatives(text).entries()) {
    const words = part
      .replace(/[[\]()]/g, ' ')
      .split(/\s+/)
      .filter((word) => word !== '');
    if (index > 0 && SHELL_TOOLS.includes(words[0])) break;
    const { command, above, rest } = descend(index === 0 ? program : parent, words);
    if (command === undefined) {
      faults.push(`there is no command "${words.join(' ')}"`);
      continue;
    }
    if (index === 0 || above !== program) parent = above;
    faults.push(...optionFaults(command, rest));
  }
  return faults;
}

/** Parted at `|` between blanks, outside of brackets. */
function alternatives(text) {
  const parts = [''];
  let depth = 0;
  for (const [at, letter] of [...text].entries()) {
    if ('[('.includes(letter)) depth += 1;
    if ('])'.includes(letter)) depth -= 1;
    if (letter === '|' && depth === 0 && text[at - 1] === ' ') parts.push('');
    else parts[parts.length - 1] += letter;
  }
  return parts.map((part) => part.trim()).filter((part) => part !== '' && part !== '...');
}

function descend(from, words) {
  let command = from;
  let above = from;
  let at = 0;
  while (
    command.commands.length > 0 &&
    at < words.length &&
    !words[at].startsWith('-') &&
    words[at] !== '...'
  ) {
    const next = command.commands.find((child) => child.name() === words[at]);
    if (next === undefined) return { command: undefined, above, rest: [] };
    above = command;
    command = next;
    at += 1;
  }
  return { command, above, rest: words.slice(at) };
}

function optionFaults(command, words) {
  const known = new Set(['--help', '-h']);
  for (let at = command; at !== null; at = at.parent) {
    for (const { long, short } of at.options) {
      if (long) known.add(long);
      if (short) known.add(short);
    }
  }
  return words
    .flatMap((word) => word.split('|'))
    .map((word) => /^(--?[a-zA-Z][\w-]*)/.exec(word)?.[1])
    .filter((option) => option !== undefined && !known.has(option))
    .map((option) => `"${command.name()}" has no option ${option}`);
}
