/** How a file is looked at. */
export type PreviewKind = 'picture' | 'table' | 'text' | 'none';

const PICTURES: ReadonlySet<string> = new Set([
  'image/png',
  'image/jpeg',
  'image/gif',
  'image/webp',
  'image/bmp',
]);
const TEXTS = /^(text\/|application\/(json|x-ndjson|xml|yaml|x-yaml|toml|javascript|x-sh)\b)/;
const TEXT_NAMES = /\.(txt|log|md|json|jsonl|ya?ml|toml|ini|cfg|py|mjs|js|ts|sh|xml|html?)$/i;

/** By the type the lab gives, or else the name. */
export function previewKind(path: string, mime: string): PreviewKind {
  if (PICTURES.has(mime)) return 'picture';
  if (/\.(csv|tsv)$/i.test(path) || /^text\/(csv|tab-separated-values)/.test(mime)) return 'table';
  return TEXTS.test(mime) || TEXT_NAMES.test(path) ? 'text' : 'none';
}

/** JSON laid out; what is none (or was cut short) stays as it is. */
export function laidOut(path: string, text: string): string {
  if (!/\.json$/i.test(path)) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** Rows of a CSV or TSV text as RFC 4180 parts them; quotes may hold the separator and line ends. */
export function parseRows(text: string, separator: string, mostRows: number): readonly (readonly string[])[] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = '';
  let isQuoted = false;
  const endCell = (): void => {
    row.push(cell);
    cell = '';
  };
  const endRow = (): void => {
    endCell();
    if (row.length > 1 || row[0] !== '') rows.push(row);
    row = [];
  };
  for (let at = 0; at < text.length && rows.length < mostRows; at++) {
    const letter = text[at]!;
    if (isQuoted) {
      if (letter !== '"') cell += letter;
      else if (text[at + 1] === '"') {
        cell += '"';
        at++;
      } else isQuoted = false;
    } else if (letter === '"' && cell === '') isQuoted = true;
    else if (letter === separator) endCell();
    else if (letter === '\n') endRow();
    else if (letter !== '\r') cell += letter;
  }
  if (rows.length < mostRows) endRow();
  return rows;
}
