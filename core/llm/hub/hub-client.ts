import { z } from 'zod';

import { SluiceError } from '../../contract';
import { addressOf, isSafePath, type HubRepo } from './hub-address';
import type { HubHttp } from './hub-http';
import { withRetries } from './retry';

/** A file of a repository as the hub lists it. */
export interface HubFile {
  readonly path: string;
  readonly bytes: number;
  /** Of what is downloaded, for large files. */
  readonly sha256?: string;
  /** SHA-1 of the git blob, for files that stand in the repository itself. */
  readonly gitSha1?: string;
}

/** What is in a repository. */
export interface HubListing {
  /** The repository at the commit that was listed: a branch may move meanwhile. */
  readonly repo: HubRepo;
  /** By path; without those whose names some file system does not take. */
  readonly files: ReadonlyMap<string, HubFile>;
}

/** A page of a thousand files has some hundred KiB. */
const MAX_PAGE_BYTES = 16 << 20;
const MAX_ENTRIES = 20_000;
const MAX_PAGES = 200;
/** Half a second, one, two: a hub that can't be reached is told of soon. */
const MAX_FAILURES = 4;
const entrySchema = z.object({
  type: z.string(),
  path: z.string().max(4096),
  size: z.int().nonnegative(),
  oid: z.string().optional(),
  lfs: z.object({ oid: z.string(), size: z.int().nonnegative() }).nullish(),
});
const shaSchema = z.string().regex(/^[0-9a-f]{40,64}$/);

/**
 * Lists a repository of a hub.
 * @throws SluiceError `not-found`, `unauthorized`, `overloaded`, `unavailable`, `cancelled`.
 */
export async function listRepo(http: HubHttp, repo: HubRepo): Promise<HubListing> {
  try {
    return await list(http, repo);
  } catch (cause) {
    // What the library says of an answer that is no object, no list, ...
    if (cause instanceof TypeError) throw garbage(http, cause.message);
    throw cause;
  }
}

async function list(http: HubHttp, repo: HubRepo): Promise<HubListing> {
  // Other commands need not wait for the library to load.
  const { listFiles, modelInfo } = await import('@huggingface/hub');
  const hub = { hubUrl: addressOf(http.settings.endpoint), fetch: fetchThrough(http, repo) };
  const info = await modelInfo({ ...hub, name: repo.id, revision: repo.revision, additionalFields: ['sha'] });
  const sha = shaSchema.safeParse(info.sha).data;
  const pinned = { id: repo.id, revision: sha ?? repo.revision };
  const designation = { type: 'model', name: repo.id } as const;
  // The library puts the revision into the address as it is.
  const revision = encodeURIComponent(pinned.revision);
  const files = new Map<string, HubFile>();
  let entries = 0;
  for await (const entry of listFiles({ ...hub, repo: designation, revision, recursive: true })) {
    const file = fileOf(http, entry);
    if (file) files.set(file.path, file);
    entries += 1;
    if (entries <= MAX_ENTRIES) continue;
    throw new SluiceError('unsupported', `${repo.id} has more than ${MAX_ENTRIES} files; a model has fewer.`);
  }
  return { repo: pinned, files };
}

function fileOf(http: HubHttp, entry: unknown): HubFile | undefined {
  const parsed = entrySchema.safeParse(entry);
  if (!parsed.success) throw garbage(http, z.prettifyError(parsed.error));
  const { type, path, size, oid, lfs } = parsed.data;
  if (leavesFolder(path))
    throw garbage(http, `it lists a file '${path.slice(0, 100)}', which is no path in a folder`);
  if (type !== 'file' || !isSafePath(path)) return undefined;
  if (lfs) return { path, bytes: lfs.size, ...(/^[0-9a-f]{64}$/.test(lfs.oid) && { sha256: lfs.oid }) };
  return { path, bytes: size, ...(oid !== undefined && /^[0-9a-f]{40}$/.test(oid) && { gitSha1: oid }) };
}

function leavesFolder(path: string): boolean {
  return /^[/\\]|^[A-Za-z]:|\0|(^|[/\\])\.\.?([/\\]|$)/.test(path);
}

/**
 * What the library asks through: it would send the token to wherever a page's `Link` points, checks no answer, and
 * never tries again.
 */
function fetchThrough(http: HubHttp, repo: HubRepo): typeof fetch {
  const { endpoint, clock, signal, onWait } = http.settings;
  const retries = { clock, maxFailures: MAX_FAILURES, ...(signal && { signal }), ...(onWait && { onWait }) };
  let pages = 0;
  return async (input) => {
    if (++pages > MAX_PAGES) throw garbage(http, `its list has more than ${MAX_PAGES} pages`);
    const url = new URL(input instanceof Request ? input.url : input);
    if (url.origin !== endpoint.origin) throw garbage(http, `a page of its list is at ${url.host}`);
    const { text, link } = await withRetries(
      () => http.text(url, `the repository ${repo.id}`, MAX_PAGE_BYTES),
      retries,
    );
    try {
      JSON.parse(text);
    } catch (cause) {
      throw garbage(http, `${(cause as Error).message} in '${text.slice(0, 60)}'`);
    }
    return new Response(text, { headers: link === undefined ? {} : { link } });
  };
}

function garbage(http: HubHttp, problem: string): SluiceError {
  const address = addressOf(http.settings.endpoint);
  return new SluiceError(
    'unavailable',
    `${address} does not answer as a Hugging Face style hub: ${problem}. Check --hub or HF_ENDPOINT.`,
    { host: http.settings.endpoint.host },
  );
}
