/** A part of a line in one style. */
export interface LogSpan {
  readonly text: string;
  /** 0..7 as terminals number them; undefined: the text's own. */
  readonly colour?: number;
  readonly isBold?: boolean;
}

/** Control sequences: colours among them, and those that move a cursor that is not here. */

const SEQUENCE =
  /\u001b\[([0-9;?]*)([A-Za-z])|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|\u001b[()][A-Z0-9]|\u001b[=>78]/g;

const OTHER_CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f]/g;

interface Style {
  colour?: number;
  isBold?: boolean;
}

function restyled(style: Style, codes: string): Style {
  let next: Style = { ...style };
  for (const text of (codes || '0').split(';')) {
    const code = Number(text || 0);
    if (code === 0) next = {};
    else if (code === 1) next.isBold = true;
    else if (code === 22) delete next.isBold;
    else if (code >= 30 && code <= 37) next.colour = code - 30;
    else if (code >= 90 && code <= 97) next.colour = code - 90;
    else if (code === 39) delete next.colour;
  }
  return next;
}

/** What a terminal would show of a line: after a carriage return it is written over. */
function visible(line: string): string {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line;
  const last = text.lastIndexOf('\r');
  return last < 0 ? text : text.slice(last + 1);
}

/** A line in its colours; everything else that terminals understand is taken out. */
export function logSpans(line: string): readonly LogSpan[] {
  const text = visible(line);
  const spans: LogSpan[] = [];
  let style: Style = {};
  let from = 0;
  const push = (part: string): void => {
    const clean = part.replace(OTHER_CONTROLS, '');
    if (clean !== '') spans.push({ text: clean, ...style });
  };
  for (const match of text.matchAll(SEQUENCE)) {
    push(text.slice(from, match.index));
    from = match.index + match[0].length;
    if (match[2] === 'm') style = restyled(style, match[1] ?? '');
  }
  push(text.slice(from));
  return spans;
}

/** The line's letters alone. */
export function plainLine(line: string): string {
  return logSpans(line)
    .map(({ text }) => text)
    .join('');
}
