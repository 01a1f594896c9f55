import { ContentCutter } from '../chunks/content-cutter';
import { checkDatasetName, type DatasetEdit, type DatasetVersion } from '../dataset-types';
import { DatasetHttp, type DatasetHttpOptions } from './dataset-http';
import { MAX_JSON_BYTES, pathOf } from './lab-answers';
import { askVersion, pull, type RemotePulled, type RemotePullOptions } from './pull';
import { Push, type RemotePushed, type RemotePushOptions } from './push';

const CONNECTIONS = 4;

export interface DatasetClientOptions extends Omit<DatasetHttpOptions, 'connections'> {
  /** At once; default 4. */
  readonly connections?: number;
  readonly cutter?: ContentCutter;
}

/**
 * Pushes to and pulls from a lab elsewhere, a few connections at once. What has arrived is not sent again: neither after
 * a lost connection nor by the next call after this process has died.
 */
export class DatasetClient {
  private readonly http: DatasetHttp;
  private readonly cutter: ContentCutter;
  private readonly connections: number;

  /** @throws SluiceError `bad-input` for a URL that is not http or https. */
  constructor(options: DatasetClientOptions) {
    this.connections = options.connections ?? CONNECTIONS;
    this.cutter = options.cutter ?? new ContentCutter();
    this.http = new DatasetHttp({ ...options, connections: this.connections });
  }

  /**
   * Makes a file or a folder the next version of a dataset. The files are read twice: first to see what they are.
   * @throws SluiceError `unavailable` when the lab can't be reached for long, `conflict` (a file changes meanwhile, the
   * name is another's), `bad-input`, `unauthorized`, `io`, `cancelled`.
   */
  async push(name: string, source: string, options: RemotePushOptions = {}): Promise<RemotePushed> {
    checkDatasetName(name);
    const { http, cutter, connections } = this;
    return Push.run({ http, cutter, connections }, name, source, options);
  }

  /**
   * Writes a version as a new folder. Its chunks are kept in `trees`: a pull that was cut short goes on from there, and
   * the next version brings only what is new in it.
   * @param folder must not be there, or be empty. @throws SluiceError `not-found`, `unauthorized`, `unavailable`,
   * `conflict`, `bad-input` (a manifest that could write outside the folder), `io`, `cancelled`.
   */
  pull(name: string, version: string, folder: string, options: RemotePullOptions): Promise<RemotePulled> {
    const { http, connections } = this;
    return pull({ http, connections }, name, version, folder, options);
  }

  /** Changes what is said about a dataset. @throws SluiceError `not-found`, `unauthorized`, `unavailable`. */
  async edit(name: string, edit: DatasetEdit): Promise<void> {
    const body = Buffer.from(JSON.stringify(edit));
    await this.http.insist('PATCH', pathOf(name), { body, maxBytes: MAX_JSON_BYTES });
  }

  /** @param version a number, the beginning of a hash or `latest`. @throws SluiceError `not-found`, `unavailable`. */
  version(name: string, version: string, signal?: AbortSignal): Promise<DatasetVersion> {
    return askVersion(this.http, name, version, signal);
  }

  /** Ends the connections. */
  close(): Promise<void> {
    return this.http.close();
  }
}
