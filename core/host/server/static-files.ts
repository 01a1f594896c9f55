import { readFile } from 'node:fs/promises';
import { extname, resolve, sep } from 'node:path';

/**
 * What the page may load: its own bundle, pictures made in it, and nothing but its own host to talk to. The same as
 * in the window, with the socket and the upload added.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  // No text becomes markup or script, by no policy: nothing of ours needs one.
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

/** Headers of every answer. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'x-frame-options': 'DENY',
  'permissions-policy': 'camera=(), microphone=(), geolocation=(), usb=(), serial=(), payment=()',
  'cache-control': 'no-cache',
};

const MIME_TYPES: ReadonlyMap<string, string> = new Map([
  ['.html', 'text/html; charset=utf-8'],
  ['.js', 'text/javascript; charset=utf-8'],
  ['.css', 'text/css; charset=utf-8'],
  ['.svg', 'image/svg+xml'],
  ['.png', 'image/png'],
  ['.json', 'application/json'],
  ['.woff2', 'font/woff2'],
]);

/** What the file system says of paths that name nothing here, whatever they are made of. */
const NO_FILE: readonly string[] = ['ENOENT', 'EISDIR', 'ENOTDIR', 'ENAMETOOLONG'];

export interface StaticFile {
  readonly mime: string;
  readonly body: Uint8Array;
}

/**
 * A file of the bundle; undefined when the path names none under `root`, however it is encoded.
 * @param pathname of the URL, percent-encoded; `/` is index.html.
 * @throws the file system's error, except for a missing file.
 */
export async function readStatic(root: string, pathname: string): Promise<StaticFile | undefined> {
  const file = fileUnder(root, pathname === '/' ? '/index.html' : pathname);
  const mime = file === undefined ? undefined : MIME_TYPES.get(extname(file));
  if (file === undefined || mime === undefined) return undefined;
  try {
    return { mime, body: await readFile(file) };
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (NO_FILE.includes(code ?? '')) return undefined;
    throw thrown;
  }
}

function fileUnder(root: string, pathname: string): string | undefined {
  let path: string;
  try {
    path = decodeURIComponent(pathname);
  } catch {
    return undefined; // a broken percent escape: nothing of ours
  }
  if (path.includes('\0') || path.includes('\\')) return undefined;
  const file = resolve(root, `.${path}`);
  return file.startsWith(resolve(root) + sep) ? file : undefined;
}
