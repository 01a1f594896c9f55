import { parseUrl } from '../../base';
import { SluiceError } from '../../contract';

/** Where models are had when nobody says otherwise. */
export const PUBLIC_HUB = 'https://huggingface.co';

/** A repository of a hub at one of its revisions. */
export interface HubRepo {
  /** `owner/name`, or `name` alone. */
  readonly id: string;
  /** A branch, tag or commit. */
  readonly revision: string;
}

const SEGMENT = '[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_-])?';
const REPO = new RegExp(`^${SEGMENT}(/${SEGMENT})?$`);
const REVISION = new RegExp(`^${SEGMENT}(/${SEGMENT}){0,5}$`);
/** A segment of a path that means the same on every file system, and never another folder. */
const FILE_SEGMENT = /^[A-Za-z0-9_][A-Za-z0-9 ._+@=-]{0,199}$/;

/** @throws SluiceError `bad-input` for what is no name of a repository or revision. */
export function hubRepo(id: string, revision = 'main'): HubRepo {
  if (!REPO.test(id) || id.includes('..')) {
    throw new SluiceError(
      'bad-input',
      `'${id}' can't be a repository: expected OWNER/NAME as the hub's page of the model has it, e.g. Qwen/Qwen3-0.6B-GGUF.`,
    );
  }
  if (REVISION.test(revision) && !revision.includes('..')) return { id, revision };
  throw new SluiceError('bad-input', `'${revision}' can't be a revision: expected a branch, tag or commit.`);
}

/**
 * The address of a hub. @param text of `--hub` or HF_ENDPOINT.
 * @throws SluiceError `bad-input` for what is no plain http(s) address.
 */
export function hubEndpoint(text: string): URL {
  const url = parseUrl(text);
  const isPlain = url && url.search === '' && url.hash === '' && url.username === '' && url.password === '';
  if (!url || !isPlain || !['http:', 'https:'].includes(url.protocol)) {
    throw new SluiceError('bad-input', `'${text}' can't be a hub: expected an address as ${PUBLIC_HUB}.`);
  }
  url.pathname = url.pathname.replace(/\/+$/, '');
  return url;
}

/** The address without a slash at its end. */
export function addressOf(endpoint: URL): string {
  return endpoint.href.replace(/\/$/, '');
}

/** Where a file is downloaded from. */
export function fileUrl(endpoint: URL, { id, revision }: HubRepo, path: string): URL {
  const encoded = path.split('/').map(encodeURIComponent).join('/');
  return new URL(`${addressOf(endpoint)}/${id}/resolve/${encodeURIComponent(revision)}/${encoded}`);
}

/** Whether a path that a hub named stays below the folder it is put into, on any file system. */
export function isSafePath(path: string): boolean {
  const segments = path.split('/');
  return (
    segments.length <= 8 && segments.every((segment) => FILE_SEGMENT.test(segment) && !/[. ]$/.test(segment))
  );
}
