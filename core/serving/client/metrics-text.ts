/** One value of a page in Prometheus' text format. */
export interface MetricSample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

const NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const LABEL_NAME = /[a-zA-Z_][a-zA-Z0-9_]*/y;
/** Backslash escapes within; a line ends no value. */
const LABEL_VALUE = /"([^"\\]*(?:\\.[^"\\]*)*)"/y;
const BLANKS = /[ \t]*/y;
/** As Go's ParseFloat has it, but for its hexadecimal and underscored forms, which nobody writes into such pages. */
const VALUE = /[+-]?(?:inf(?:inity)?|nan|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)(?=[ \t]|$)/iy;
/** A time, and in OpenMetrics an exemplar: neither is of use here. */
const REST = /(?:[ \t]+[+-]?[\d.eE+-]+)?[ \t]*(?:#.*)?$/y;

/**
 * Reads the text format 0.0.4 of Prometheus, and what OpenMetrics 1.0 writes beyond it.
 * @returns undefined when any line is not of the format: then the page is something else, or was cut off.
 */
export function parseMetricsText(text: string): readonly MetricSample[] | undefined {
  const samples: MetricSample[] = [];
  for (const line of text.split('\n')) {
    const trimmed = line.replace(/\r$/, '').trim();
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    const sample = new LineReader(trimmed).sample();
    if (sample === undefined) return undefined;
    samples.push(sample);
  }
  return samples;
}

/** Takes a line apart from left to right; undefined as soon as something else stands there than expected. */
class LineReader {
  private at = 0;

  constructor(private readonly line: string) {}

  sample(): MetricSample | undefined {
    const name = this.take(NAME)?.[0];
    if (name === undefined) return undefined;
    this.take(BLANKS);
    const labels = this.line[this.at] === '{' ? this.labels() : new Map<string, string>();
    this.take(BLANKS);
    const value = this.take(VALUE)?.[0];
    if (labels === undefined || value === undefined || this.take(REST) === undefined) return undefined;
    return { name, labels, value: numberOf(value) };
  }

  private labels(): ReadonlyMap<string, string> | undefined {
    const labels = new Map<string, string>();
    this.at += 1;
    for (;;) {
      this.take(BLANKS);
      if (this.takes('}')) return labels;
      const name = this.take(LABEL_NAME)?.[0];
      this.take(BLANKS);
      if (name === undefined || !this.takes('=')) return undefined;
      this.take(BLANKS);
      const value = this.take(LABEL_VALUE)?.[1];
      if (value === undefined) return undefined;
      labels.set(name, unescaped(value));
      this.take(BLANKS);
      // A comma may stand behind the last one too.
      if (!this.takes(',') && this.line[this.at] !== '}') return undefined;
    }
  }

  private takes(character: string): boolean {
    const isThere = this.line[this.at] === character;
    if (isThere) this.at += 1;
    return isThere;
  }

  private take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.line);
    if (match === null) return undefined;
    this.at = pattern.lastIndex;
    return match;
  }
}

/** Other characters behind a backslash stand for themselves, the backslash too. */
function unescaped(value: string): string {
  return value.replace(/\\([\\"n])/g, (_whole, letter: string) => (letter === 'n' ? '\n' : letter));
}

function numberOf(text: string): number {
  if (/nan/i.test(text)) return NaN;
  if (/inf/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  return Number(text);
}
