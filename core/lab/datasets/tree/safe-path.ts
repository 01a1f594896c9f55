const MAX_PATH_BYTES = 4096;
const MAX_NAME_BYTES = 255;

/**
 * What is wrong with a path of a manifest, or undefined. A good one is relative, with `/`, below its folder on every
 * system, and written in only one way.
 */
export function pathFault(path: string): string | undefined {
  if (path === '') return 'it is empty';
  if (path.startsWith('/')) return 'it is absolute';
  if (path.includes('\\')) return 'it has a backslash, which separates folders on Windows';
  if (hasControl(path)) return 'it has a control character';
  // What a name that is no UTF-8 was read as: it could not be opened again.
  if (/[\ufffd\p{Surrogate}]/u.test(path)) return 'it is not UTF-8';
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) return `it is longer than ${MAX_PATH_BYTES} bytes`;
  for (const name of path.split('/')) {
    if (name === '') return 'it has an empty name';
    if (name === '.' || name === '..') return `it has the name "${name}"`;
    if (/^[A-Za-z]:/.test(name)) return `"${name}" begins like a drive`;
    if (Buffer.byteLength(name) > MAX_NAME_BYTES) return `a name is longer than ${MAX_NAME_BYTES} bytes`;
  }
  return undefined;
}

/**
 * What is wrong with the target of a symbolic link at `path`, or undefined. `..` is taken at its beginning only: there it
 * climbs through real folders, while behind a name, which may be a link too, it could lead anywhere.
 */
export function linkFault(path: string, target: string): string | undefined {
  if (target === '') return 'its target is empty';
  if (target.startsWith('/') || /^[A-Za-z]:/.test(target)) return 'its target is absolute';
  if (target.includes('\\') || hasControl(target)) return 'its target has a backslash or a control character';
  const names = target.split('/').filter((name) => name !== '' && name !== '.');
  const climbs = names.findIndex((name) => name !== '..');
  const ups = climbs === -1 ? names.length : climbs;
  if (names.slice(ups).includes('..')) return 'its target has ".." behind a name';
  if (ups > path.split('/').length - 1) return 'its target leaves the folder';
  return undefined;
}

/** Equal for paths that are one file on a system that ignores case or how accents are written. */
export function foldedPath(path: string): string {
  return path.normalize('NFC').toLowerCase().normalize('NFC');
}

/** A path as it may be shown in a terminal. */
export function shownPath(path: string): string {
  return JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}...` : path);
}

function hasControl(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}
