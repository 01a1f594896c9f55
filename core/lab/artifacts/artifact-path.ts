import { SluiceError } from '../../contract';

/** The names from the store's folder down to an artifact; none is the folder itself. */
export type ArtifactPath = readonly string[];

const MOST_PATH_BYTES = 1024;
const MOST_NAMES = 32;
/** What file systems take. */
const MOST_NAME_BYTES = 255;

/** Control characters; `#`, which MLflow's clients refuse to list; and what another decoding would turn into a step. */
const FORBIDDEN = /[\u0000-\u001f\u007f#\\]|%(?:00|23|25|2e|2f|5c)/i;
/** Devices, streams and what Windows drops from the end of a name. */
const FORBIDDEN_ON_WINDOWS = /[<>:"|?*]|[. ]$|^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/**
 * The names in a path that came from outside, decoded once already.
 * @param text with `/` between names; one at the end is ignored.
 * @throws SluiceError `bad-input` for whatever could lead out of the store's folder or can't be a file's name.
 */
export function parseArtifactPath(text: string, platform: NodeJS.Platform = process.platform): ArtifactPath {
  const names = text.replace(/\/$/, '').split('/');
  if (names.length === 1 && names[0] === '') return [];
  const fault = pathFault(text, names) ?? names.map((name) => nameFault(name, platform)).find(Boolean);
  if (fault === undefined) return names;
  throw new SluiceError(
    'bad-input',
    `Artifact path "${text.slice(0, 200)}": expected names with "/" between them, found ${fault}.`,
    { path: text.slice(0, 200) },
  );
}

function pathFault(text: string, names: readonly string[]): string | undefined {
  if (Buffer.byteLength(text) > MOST_PATH_BYTES) return `more than ${MOST_PATH_BYTES} bytes`;
  if (names.length > MOST_NAMES) return `more than ${MOST_NAMES} names`;
  const [forbidden] = FORBIDDEN.exec(text) ?? [];
  return forbidden === undefined ? undefined : `the character ${JSON.stringify(forbidden)}`;
}

function nameFault(name: string, platform: NodeJS.Platform): string | undefined {
  if (name === '') return 'an empty name';
  if (name === '.' || name === '..') return `the step "${name}"`;
  if (Buffer.byteLength(name) > MOST_NAME_BYTES) return `a name of more than ${MOST_NAME_BYTES} bytes`;
  const isForbidden = platform === 'win32' && FORBIDDEN_ON_WINDOWS.test(name);
  return isForbidden ? `"${name}", which is no file's name on Windows` : undefined;
}
