import { readFile } from 'node:fs/promises';
import { extname, resolve, sep } from 'node:path';

/** The renderer's scheme and origin. Standard and secure, so that it has an origin, and no access to `file:`. */
export const APP_SCHEME = 'app';
export const APP_ORIGIN = 'app://sluice';
export const APP_ENTRY = `${APP_ORIGIN}/index.html`;

/**
 * What the window may load. Styles and scripts come from the bundle only; `blob:` images are the pictures a run's
 * result is drawn over; nothing is fetched, since the engine is reached over a MessagePort.
 */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  // No text becomes markup or script, by no policy: nothing of ours needs one.
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const MIME_TYPES: ReadonlyMap<string, string> = new Map([
  ['.html', 'text/html; charset=utf-8'],
  ['.js', 'text/javascript; charset=utf-8'],
  ['.css', 'text/css; charset=utf-8'],
  ['.svg', 'image/svg+xml'],
  ['.png', 'image/png'],
  ['.json', 'application/json'],
]);

/**
 * The file a URL of the app scheme names, or undefined when it names none under `root`: another host, another
 * scheme, a type the bundle has none of, or a path that leaves `root` however it is encoded.
 */
export function resolveAppFile(url: string, root: string): string | undefined {
  let path: string;
  try {
    const parsed = new URL(url);
    if (`${parsed.protocol}//${parsed.host}` !== APP_ORIGIN) return undefined;
    path = decodeURIComponent(parsed.pathname);
  } catch {
    return undefined; // not a URL, or a broken percent escape: nothing of ours
  }
  if (path.includes('\0') || path.includes('\\')) return undefined;
  const file = resolve(root, `.${path}`);
  if (!file.startsWith(resolve(root) + sep)) return undefined;
  return MIME_TYPES.has(extname(file)) ? file : undefined;
}

/** Answers a request of the app scheme from the folder `root` (absolute path of `out/renderer`). */
export async function serveAppFile(url: string, root: string): Promise<Response> {
  const file = resolveAppFile(url, root);
  if (file === undefined) return new Response('Not found', { status: 404 });
  try {
    const body = await readFile(file);
    return new Response(new Uint8Array(body), {
      headers: {
        'content-type': MIME_TYPES.get(extname(file)) ?? 'application/octet-stream',
        'content-security-policy': CONTENT_SECURITY_POLICY,
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-cache',
      },
    });
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code;
    return new Response(`Can't read ${file}: ${code ?? String(thrown)}`, {
      status: code === 'ENOENT' ? 404 : 500,
    });
  }
}
