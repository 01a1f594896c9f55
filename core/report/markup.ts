/** Text that is HTML already. Only `markup` makes it, so every other text in a report is escaped. */
export class Markup {
  constructor(readonly html: string) {}
}

/** What may stand in a template: absent parts give nothing. */
export type Part = Markup | string | number | undefined | readonly Part[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};

/** Control characters have no place in HTML, and those that turn the direction of text could make it read otherwise. */
const UNFIT = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ufffe\uffff]/g;
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Safe as text and within a quoted attribute. */
export function escapeText(text: string): string {
  return text
    .replace(LONE_SURROGATE, '\ufffd')
    .replace(UNFIT, '\ufffd')
    .replace(/[&<>"'`]/g, (letter) => ENTITIES[letter] ?? letter);
}

function htmlOf(part: Part): string {
  if (part === undefined) return '';
  if (part instanceof Markup) return part.html;
  if (typeof part === 'string') return escapeText(part);
  if (typeof part === 'number') return String(part);
  return part.map(htmlOf).join('');
}

/** A template of HTML or SVG; what is put into it is escaped unless it is `Markup`. Attributes have to be quoted. */
export function markup(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(strings.reduce((html, text, index) => `${html}${htmlOf(parts[index - 1])}${text}`));
}
