import { SluiceError } from '../../contract';
import { fileUrl, type HubRepo } from './hub-address';
import type { HubFile } from './hub-client';
import type { HubAnswer, HubHttp } from './hub-http';
import { isDownloaded, PartialFile } from './partial-file';
import { TransientError, withRetries } from './retry';

export interface DownloadOptions {
  /** Told how many bytes of the file are there; fewer than before when it began anew. */
  readonly onBytes: (doneBytes: number) => void;
}

/** Failures without a byte between them: half a minute. */
const MAX_FAILURES = 7;

/**
 * Downloads a file of a repository. What an earlier try left is gone on from, as long as it is of the same contents;
 * what came is compared with the hub's checksum.
 * @param target where it will be; until it is whole there is a partial file beside it.
 * @throws SluiceError as `HubHttp.get`, `unavailable` for other contents than the hub lists, `io`, `cancelled`: the
 * partial file is kept for another time.
 */
export async function downloadFile(
  http: HubHttp,
  repo: HubRepo,
  { file, target }: { readonly file: HubFile; readonly target: string },
  options: DownloadOptions,
): Promise<void> {
  if (await isDownloaded(target, file)) {
    options.onBytes(file.bytes);
    return;
  }
  const wrong = await fetchOnce(http, repo, { file, target }, options);
  if (wrong === undefined) return;
  // A part from before can be damaged; all anew is the test of it.
  const again = wrong.wasResumed ? await fetchOnce(http, repo, { file, target }, options) : wrong;
  if (!again) return;
  throw new SluiceError(
    'unavailable',
    `${http.settings.endpoint.host} gave other bytes for ${file.path} of ${repo.id}: ${again.fault}. ` +
      'Nothing was kept; try again, or another network.',
    { path: file.path },
  );
}

interface WrongContents {
  readonly fault: string;
  readonly wasResumed: boolean;
}

async function fetchOnce(
  http: HubHttp,
  repo: HubRepo,
  { file, target }: { readonly file: HubFile; readonly target: string },
  options: DownloadOptions,
): Promise<WrongContents | undefined> {
  const partial = await PartialFile.open(target, file);
  const transfer = new Transfer(http, repo, partial, options);
  const { clock, signal, onWait } = http.settings;
  options.onBytes(partial.bytes);
  try {
    await withRetries((progressed) => transfer.run(progressed), {
      clock,
      maxFailures: MAX_FAILURES,
      ...(signal && { signal }),
      ...(onWait && { onWait }),
    });
  } catch (cause) {
    await partial.close();
    throw cause;
  }
  const fault = await partial.finish();
  return fault === undefined ? undefined : { fault, wasResumed: transfer.wasResumed };
}

class Transfer {
  wasResumed: boolean;
  private readonly url: URL;
  private readonly subject: string;

  constructor(
    private readonly http: HubHttp,
    repo: HubRepo,
    private readonly partial: PartialFile,
    private readonly options: DownloadOptions,
  ) {
    this.wasResumed = partial.bytes > 0;
    this.url = fileUrl(http.settings.endpoint, repo, partial.file.path);
    this.subject = `the file ${partial.file.path} of ${repo.id}`;
  }

  /** Gets what is missing. @throws TransientError when it may be tried again, from where it broke. */
  async run(progressed: () => void): Promise<void> {
    const { partial, http } = this;
    if (partial.bytes === partial.file.bytes && partial.bytes > 0) return;
    const from = partial.bytes;
    const answer = await http.get(this.url, this.subject, rangeHeaders(from, partial.etag));
    try {
      await this.begin(answer, from);
      for await (const chunk of this.chunks(answer)) {
        if (partial.bytes + chunk.length > partial.file.bytes) throw this.otherSize('more');
        await partial.append(chunk);
        progressed();
        this.options.onBytes(partial.bytes);
      }
    } finally {
      answer.body.destroy();
    }
    if (partial.bytes === partial.file.bytes) return;
    const cut = new Error(`it ended after ${partial.bytes} of ${partial.file.bytes} bytes`);
    throw http.transient(this.url.host, cut);
  }

  /** A server that knows no ranges, or has another version by now, gives the whole: what is there is of no use then. */
  private async begin({ status, header, linkedSha256 }: HubAnswer, from: number): Promise<void> {
    const { partial } = this;
    const { sha256 } = partial.file;
    if (sha256 !== undefined && linkedSha256 !== undefined && sha256 !== linkedSha256) {
      const message = `${this.subject} changed at ${this.url.host} since it was listed. Pull it again.`;
      throw new SluiceError('unavailable', `T${message.slice(1)}`);
    }
    const encoding = header('content-encoding') ?? 'identity';
    if (encoding !== 'identity') {
      throw new SluiceError('unavailable', `${this.url.host} gives ${this.subject} as ${encoding}, unasked.`);
    }
    if (status === 206) {
      const [, start, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(header('content-range') ?? '') ?? [];
      if (total !== undefined && total !== '*' && Number(total) !== partial.file.bytes)
        throw this.otherSize(total);
      const isSame = partial.etag === undefined || partial.etag === header('etag');
      if (Number(start) === from && isSame) return partial.setEtag(header('etag'));
    }
    if (from > 0) await this.restart();
    if (status === 200) return partial.setEtag(header('etag'));
    const problem = status === 416 ? 'has no such range' : 'answers another range or version';
    throw new TransientError(
      new SluiceError('unavailable', `${this.url.host} ${problem} of ${this.subject}.`),
    );
  }

  private async restart(): Promise<void> {
    await this.partial.restart();
    this.wasResumed = false;
    this.options.onBytes(0);
  }

  private async *chunks({ body }: HubAnswer): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of body as AsyncIterable<Buffer>) yield chunk;
    } catch (cause) {
      throw this.http.transient(this.url.host, cause);
    }
  }

  private otherSize(found: string): SluiceError {
    return new SluiceError(
      'unavailable',
      `${this.url.host} lists ${this.partial.file.bytes} bytes for ${this.subject} and gives ${found}. Try again later.`,
    );
  }
}

function rangeHeaders(from: number, etag: string | undefined): Record<string, string> {
  if (from === 0) return {};
  return { range: `bytes=${from}-`, ...(etag !== undefined && { 'if-range': etag }) };
}
