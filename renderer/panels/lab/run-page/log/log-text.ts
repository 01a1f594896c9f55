/** As much of a log as is held: a page of it, however long it gets. */
export interface LogText {
  readonly lines: readonly string[];
  /** Whether the last line may go on. */
  readonly isOpen: boolean;
  /** Lines at its beginning that were let go since it was read. */
  readonly dropped: number;
}

export const EMPTY_LOG: LogText = { lines: [], isOpen: false, dropped: 0 };
export const MOST_LINES = 20_000;
/** Beyond this a line is cut: one without end must not fill the memory. */
export const MOST_LETTERS = 4000;

function cut(line: string): string {
  return line.length > MOST_LETTERS ? `${line.slice(0, MOST_LETTERS)} …` : line;
}

/** The log with more text at its end; the oldest lines go when there are too many. */
export function withMore(log: LogText, text: string, mostLines = MOST_LINES): LogText {
  if (text === '') return log;
  const parts = text.split('\n');
  const isOpen = parts.at(-1) !== '';
  if (!isOpen) parts.pop();
  const lines = [...log.lines];
  const first = parts.shift();
  if (first !== undefined) {
    if (log.isOpen) lines.push(cut((lines.pop() ?? '') + first));
    else lines.push(cut(first));
  }
  for (const part of parts) lines.push(cut(part));
  const over = Math.max(0, lines.length - mostLines);
  return { lines: over > 0 ? lines.slice(over) : lines, isOpen, dropped: log.dropped + over };
}

/** The log with older text before its beginning. What does not fit is the newest. */
export function withEarlier(log: LogText, text: string): LogText {
  const older = withMore(EMPTY_LOG, text, Number.POSITIVE_INFINITY);
  const [first, ...rest] = log.lines;
  // A line that was begun in the older text goes on in the newer.
  const seam = older.isOpen && first !== undefined ? cut((older.lines.at(-1) ?? '') + first) : undefined;
  const lines =
    seam === undefined ? [...older.lines, ...log.lines] : [...older.lines.slice(0, -1), seam, ...rest];
  return { ...log, lines, dropped: 0 };
}

/** Indices of the lines that hold a text, whatever their case. */
export function linesWith(plain: readonly string[], text: string): readonly number[] {
  const wanted = text.toLowerCase();
  if (wanted === '') return [];
  return plain.flatMap((line, index) => (line.toLowerCase().includes(wanted) ? [index] : []));
}
