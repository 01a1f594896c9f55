/** How a process that Sluice started came to its end, as its parent sees it. */
export interface ProcessEnd {
  /** Its exit code; what the system gives when a signal ended it. */
  readonly code: number;
  /** The signal that ended it, if one did: `SIGKILL`. */
  readonly signal?: string;
  /** The end of what it wrote to stderr. */
  readonly log: string;
}

/** WebSocket close code, of our own (4000 and up), of a host that ends by itself; the reason says why. */
export const HOST_ENDED = 4503;

/**
 * Begins the line of stderr on which a process says why it ends itself. What else it writes there are notes: the last of
 * them is next to an end, and no reason for it.
 */
const LAST_WORD = 'last word: ';
const MOST_CHARS = 2000;
/** V8's own last word when its heap is full, before it aborts. */
const V8_LAST_WORD = 'FATAL ERROR: ';
/** What Node prints below an error's message tells a person nothing; the report of the crash has it. */
const NODE_TRAILER = /^(?:\s+at .*|\s*\^+\s*|Node\.js v.*|\s*)$/;
const SHOWN_LINES = 3;

/** The line by which a process says why it ends itself. */
export function lastWordLine(reason: string): string {
  return `${LAST_WORD}${JSON.stringify(reason.slice(0, MOST_CHARS))}\n`;
}

/** Whether a log has the reason of its process's end. */
export function saysWhy(log: string): boolean {
  return lastWord(log.split('\n')) !== undefined;
}

/** `ended by SIGKILL ...`: how, and why if the process said so; else the last lines of its log, as such. */
export function processEndText({ code, signal, log }: ProcessEnd): string {
  const how = signal === undefined ? `ended with code ${code}` : `ended by ${signal}${sender(signal)}`;
  const lines = log.split('\n');
  const reason = lastWord(lines);
  if (reason !== undefined) return `${how}: ${reason}`;
  const shown = lines.filter((line) => !NODE_TRAILER.test(line)).slice(-SHOWN_LINES);
  return shown.length === 0
    ? `${how} and wrote nothing`
    : `${how} without saying why; last lines of its log: ${shown.map((line) => line.trim()).join(' | ')}`;
}

function sender(signal: string): string {
  return signal === 'SIGKILL' ? ' (by a person, or by the system because memory ran out)' : '';
}

function lastWord(lines: readonly string[]): string | undefined {
  const after = (mark: string): string | undefined =>
    lines
      .filter((line) => line.startsWith(mark))
      .at(-1)
      ?.slice(mark.length);
  return parsed(after(LAST_WORD) ?? '') ?? after(V8_LAST_WORD)?.trim();
}

/** Undefined for a line that was cut off. */
function parsed(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
