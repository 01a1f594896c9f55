import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';

import { z } from 'zod';

import { SluiceError } from '../../../contract';
import { codeOfHttpStatus } from '../../../serving';
import { ioError } from '../../../storage';
import { labAnswer, labRefusal } from '../connection/lab-answer';
import type { LabApi } from '../connection/lab-api';

/** `MODEL`, `MODEL@3` or `MODEL@alias`. */
export interface VersionRef {
  readonly model: string;
  /** Absent: the newest. */
  readonly version?: number | string;
}

export interface ArtifactFile {
  /** From the folder that was listed. */
  readonly path: string;
  readonly sizeBytes: number;
}

const versionSchema = z.object({ name: z.string(), version: z.coerce.number().int() });
const oneSchema = z.object({ model_version: versionSchema });
const modelSchema = z.object({
  registered_model: z.object({ latest_versions: z.array(versionSchema).default([]) }),
});
const uriSchema = z.object({ artifact_uri: z.string() });
const filesSchema = z.object({
  files: z.array(z.object({ path: z.string(), is_dir: z.boolean(), file_size: z.number().optional() })),
});
const anything = z.unknown();

const MLFLOW = '/api/2.0/mlflow';
const ARTIFACTS = '/api/2.0/mlflow-artifacts/artifacts';
const SCHEME = 'mlflow-artifacts:/';
/** Of texts that are read whole. */
const MOST_TEXT_BYTES = 2 ** 20;

export function parseVersionRef(text: string): VersionRef {
  const [, model = text, version] = /^(.+)@([^@]+)$/.exec(text) ?? [];
  if (version === undefined || version === 'latest') return { model };
  return { model, version: /^\d{1,9}$/.test(version) ? Number(version) : version };
}

/** The lab's model registry and artifacts, as MLflow's REST has them. Throws what the lab answers as a `SluiceError`. */
export class RegistryClient {
  constructor(private readonly api: Pick<LabApi, 'url' | 'headers'>) {}

  /** The number of a version. @throws SluiceError `not-found`. */
  async versionOf({ model, version }: VersionRef): Promise<number> {
    if (typeof version === 'number') {
      const path = `/model-versions/get?${new URLSearchParams({ name: model, version: String(version) }).toString()}`;
      return (await this.json('GET', MLFLOW + path, oneSchema)).model_version.version;
    }
    if (version !== undefined) {
      const path = `/registered-models/alias?${new URLSearchParams({ name: model, alias: version }).toString()}`;
      return (await this.json('GET', MLFLOW + path, oneSchema)).model_version.version;
    }
    const path = `/registered-models/get?${new URLSearchParams({ name: model }).toString()}`;
    const { registered_model: found } = await this.json('GET', MLFLOW + path, modelSchema);
    const newest = Math.max(...found.latest_versions.map((one) => one.version));
    if (Number.isFinite(newest)) return newest;
    throw new SluiceError('not-found', `${model} has no version; register one first.`, { model });
  }

  /**
   * Where a version's files are among the artifacts of the lab.
   * @throws SluiceError `not-found`; `unsupported` when they are elsewhere.
   */
  async placeOf(model: string, version: number): Promise<string> {
    const query = new URLSearchParams({ name: model, version: String(version) });
    const path = `${MLFLOW}/model-versions/get-download-uri?${query.toString()}`;
    const { artifact_uri: uri } = await this.json('GET', path, uriSchema);
    const place = uri.slice(SCHEME.length);
    if (uri.startsWith(SCHEME) && !place.startsWith('/')) return decodeURIComponent(place);
    throw new SluiceError(
      'unsupported',
      `${model} version ${version}: its files are at ${uri.slice(0, 200)}, which this lab does not keep; log them to a run here.`,
      { model, version },
    );
  }

  /** All files in a folder, at any depth; nothing for a file. */
  async files(folder: string): Promise<readonly ArtifactFile[]> {
    const query = new URLSearchParams({ path: folder, recursive: 'true' });
    const { files } = await this.json('GET', `${ARTIFACTS}?${query.toString()}`, filesSchema);
    return files.flatMap(({ path, is_dir: isFolder, file_size: sizeBytes = 0 }) =>
      isFolder ? [] : [{ path, sizeBytes }],
    );
  }

  /** A short text. */
  async text(place: string): Promise<string> {
    const { body } = await this.call('GET', artifactPath(place));
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      bytes += chunk.byteLength;
      if (bytes > MOST_TEXT_BYTES) break;
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('utf8');
  }

  /** @returns its SHA-256. @throws SluiceError `io`, `unavailable`, `cancelled`. */
  async download(place: string, to: string, signal?: AbortSignal): Promise<string> {
    const { body } = await this.call('GET', artifactPath(place), undefined, signal);
    const hash = createHash('sha256');
    body.on('data', (chunk: Buffer) => hash.update(chunk));
    await pipeline(body, createWriteStream(to, { mode: 0o600 })).catch((cause: unknown) => {
      if (signal?.aborted) throw new SluiceError('cancelled', 'Publishing was cancelled.');
      throw ioError(`Can't download ${place} from ${this.api.url}`, cause);
    });
    return hash.digest('hex');
  }

  async setTag(model: string, version: number, key: string, value: string): Promise<void> {
    const body = { name: model, version: String(version), key, value };
    await this.json('POST', `${MLFLOW}/model-versions/set-tag`, anything, body);
  }

  async removeTag(model: string, version: number, key: string): Promise<void> {
    const body = { name: model, version: String(version), key };
    await this.json('DELETE', `${MLFLOW}/model-versions/delete-tag`, anything, body);
  }

  private async json<S extends z.ZodType>(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    schema: S,
    body?: object,
  ): Promise<z.output<S>> {
    return labAnswer(this.api.url, (await this.call(method, path, body)).body, schema);
  }

  private async call(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object, signal?: AbortSignal) {
    const { url, headers } = this.api;
    const { request } = await import('undici');
    const answer = await request(url + path, {
      method,
      headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    }).catch((cause: unknown) => {
      if (signal?.aborted) throw new SluiceError('cancelled', 'Publishing was cancelled.');
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new SluiceError('unavailable', `The lab at ${url} can't be reached: ${reason}.`, {}, { cause });
    });
    if (answer.statusCode < 300) return answer;
    const said = await labRefusal(answer.body);
    const message =
      said?.message ?? `The lab at ${url} answered HTTP ${answer.statusCode} to ${path.slice(0, 200)}.`;
    throw new SluiceError(codeOfHttpStatus(answer.statusCode), message);
  }
}

function artifactPath(place: string): string {
  return `${ARTIFACTS}/${place.split('/').map(encodeURIComponent).join('/')}`;
}
