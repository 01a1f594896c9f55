import { extname } from 'node:path';

const BINARY = 'application/octet-stream';
const TEXT = 'text/plain; charset=utf-8';

const BY_EXTENSION: ReadonlyMap<string, string> = new Map([
  ...every(
    TEXT,
    'txt log err out cfg conf ini properties toml yaml yml xml html htm json jsonl js ts py sh csv tsv md rst ipynb',
  ),
  ['png', 'image/png'],
  ...every('image/jpeg', 'jpg jpeg'),
  ['gif', 'image/gif'],
  ['webp', 'image/webp'],
  ['bmp', 'image/bmp'],
  ['svg', 'image/svg+xml'],
  ['pdf', 'application/pdf'],
  ['zip', 'application/zip'],
  ['gz', 'application/gzip'],
  ['wav', 'audio/wav'],
  ['mp3', 'audio/mpeg'],
  ['mp4', 'video/mp4'],
]);

/** Text without an extension. */
const TEXT_NAMES: ReadonlySet<string> = new Set(['MLmodel', 'MLproject', 'Dockerfile', 'LICENSE', 'README']);

/**
 * What a file holds, going by its name. Like MLflow, source code and pages count as plain text, so that nothing a run wrote
 * is ever run by what shows it.
 */
export function contentTypeOf(fileName: string): string {
  if (TEXT_NAMES.has(fileName)) return TEXT;
  return BY_EXTENSION.get(extname(fileName).slice(1).toLowerCase()) ?? BINARY;
}

function every(contentType: string, extensions: string): readonly (readonly [string, string])[] {
  return extensions.split(' ').map((extension) => [extension, contentType]);
}
