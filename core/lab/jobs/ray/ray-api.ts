import type { Agent, Dispatcher } from 'undici';
import { z } from 'zod';

import { boundedText, parseUrl } from '../../../base';
import { SluiceError } from '../../../contract';
import type { JobNode } from '../job-engine';

export interface RayApiOptions {
  /** Of the head's dashboard: `http://127.0.0.1:8265`. */
  readonly url: string;
  /** Where the cluster asks for one (RAY_AUTH_MODE=token). */
  readonly token?: string;
  readonly timeoutMs: number;
}

const jobSchema = z.object({
  status: z.enum(['PENDING', 'RUNNING', 'STOPPED', 'SUCCEEDED', 'FAILED']),
  message: z.string().nullish(),
  /** Milliseconds since the Unix epoch; the first is when it was submitted. */
  start_time: z.number().nullish(),
  end_time: z.number().nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
  driver_node_id: z.string().nullish(),
  driver_exit_code: z.number().nullish(),
});
/** A job as Ray tells it. */
export type RayJob = z.infer<typeof jobSchema>;

/** The body of a submission, as Ray names its members. */
export interface RaySubmission {
  readonly entrypoint: string;
  readonly submission_id: string;
  readonly entrypoint_num_cpus: number;
  readonly entrypoint_num_gpus: number;
  readonly entrypoint_memory: number;
  readonly entrypoint_resources?: Readonly<Record<string, number>>;
  readonly runtime_env: { readonly env_vars: Readonly<Record<string, string>> };
  readonly metadata: Readonly<Record<string, string>>;
}

export interface RayNode extends JobNode {
  readonly id: string;
  readonly ip: string;
}

const nodesSchema = z.object({
  data: z.object({
    result: z.object({
      result: z.array(
        z.object({
          node_id: z.string(),
          node_ip: z.string(),
          node_name: z.string().nullish(),
          state: z.string(),
          resources_total: z.record(z.string(), z.number()).nullish(),
        }),
      ),
    }),
  }),
});
/** Of each resource: taken and in all. */
const usage = z.record(z.string(), z.tuple([z.number(), z.number()]));
const clusterSchema = z.object({
  data: z.object({
    clusterStatus: z
      .object({
        loadMetricsReport: z.object({ usageByNode: z.record(z.string(), usage).nullish() }).nullish(),
      })
      .nullish(),
  }),
});

interface Answer {
  readonly status: number;
  readonly text: string;
}

/**
 * Ray's job server and dashboard over HTTP (docs.ray.io, "Ray Jobs REST API"). Not by `fetch`: Ray takes its Sec-Fetch
 * headers for a browser's and refuses to submit.
 */
export class RayApi {
  private agent: Agent | undefined;
  private readonly base: string;

  /** @throws SluiceError `bad-input` when the address is none. */
  constructor(private readonly options: RayApiOptions) {
    const { url } = options;
    if (!/^https?:/.test(url) || !parseUrl(url)) {
      throw new SluiceError(
        'bad-input',
        `"${url}" is not the address of Ray's dashboard. Give one like http://127.0.0.1:8265.`,
        { url },
      );
    }
    this.base = url.replace(/\/+$/, '');
  }

  /** @returns false when there is a job with the same submission id. @throws SluiceError `bad-input`, `unavailable`. */
  async submit(submission: RaySubmission): Promise<boolean> {
    const { status, text } = await this.send('POST', '/api/jobs/', submission);
    if (status === 200) return true;
    if (text.includes('already exists')) return false;
    if (status !== 400 && !/\n\w*ValueError: /.test(text))
      throw this.refused('submit the job', { status, text });
    throw new SluiceError('bad-input', `Ray refuses the job: ${lastLine(text)}`, { status });
  }

  /** @returns undefined for an id that Ray does not know. */
  async job(id: string): Promise<RayJob | undefined> {
    const answer = await this.send('GET', `/api/jobs/${encodeURIComponent(id)}`);
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw this.refused('ask for a job', answer);
    return this.parsed(jobSchema, answer.text, 'a job');
  }

  /** Asks a job to end; of one that is unknown or has ended nothing happens. */
  async stop(id: string): Promise<void> {
    const answer = await this.send('POST', `/api/jobs/${encodeURIComponent(id)}/stop`);
    if (answer.status !== 200 && answer.status !== 404) throw this.refused('stop a job', answer);
  }

  async nodes(): Promise<readonly RayNode[]> {
    const [listed, cluster] = await Promise.all([
      this.send('GET', '/api/v0/nodes?detail=true&limit=10000'),
      this.send('GET', '/api/cluster_status'),
    ]);
    for (const answer of [listed, cluster]) {
      if (answer.status !== 200) throw this.refused('ask for the nodes', answer);
    }
    const { result } = this.parsed(nodesSchema, listed.text, 'its nodes').data.result;
    const { clusterStatus } = this.parsed(clusterSchema, cluster.text, 'what is taken').data;
    const taken = clusterStatus?.loadMetricsReport?.usageByNode ?? {};
    return result.map(({ node_id: id, node_ip: ip, node_name: name, state, resources_total: resources }) => {
      const total = (resource: string): number => resources?.[resource] ?? 0;
      const free = (resource: string): number =>
        Math.max(0, total(resource) - (taken[id]?.[resource]?.[0] ?? 0));
      return {
        id,
        ip,
        name: name || ip,
        total: { cpus: total('CPU'), gpus: total('GPU'), memoryBytes: total('memory') },
        free: { cpus: free('CPU'), gpus: free('GPU'), memoryBytes: free('memory') },
        isUp: state === 'ALIVE',
      };
    });
  }

  async close(): Promise<void> {
    await this.agent?.close();
  }

  private async send(method: Dispatcher.HttpMethod, path: string, body?: object): Promise<Answer> {
    const { token, timeoutMs } = this.options;
    try {
      // Loaded here: most labs have no Ray, and their server stays small.
      const { Agent, request } = await import('undici');
      const limits = { connectTimeout: timeoutMs, headersTimeout: timeoutMs, bodyTimeout: timeoutMs };
      this.agent ??= new Agent(limits);
      const response = await request(`${this.base}${path}`, {
        method,
        dispatcher: this.agent,
        signal: AbortSignal.timeout(timeoutMs),
        headers: {
          ...(body && { 'content-type': 'application/json' }),
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
        },
        ...(body && { body: JSON.stringify(body) }),
      });
      return { status: response.statusCode, text: await boundedText(response.body) };
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      const message = `Ray can't be reached at ${this.base}: ${why}. See whether "ray start --head" runs there.`;
      throw new SluiceError('unavailable', message, { url: this.base }, { cause });
    }
  }

  private refused(what: string, { status, text }: Answer): SluiceError {
    if (status === 401 || status === 403) {
      const message = `Ray at ${this.base} wants another token than it was given (HTTP ${status}).`;
      return new SluiceError('unauthorized', message, { url: this.base });
    }
    const message = `Ray at ${this.base} would not ${what}: HTTP ${status}, ${lastLine(text)}`;
    return new SluiceError('unavailable', message, { url: this.base, status });
  }

  private parsed<T>(schema: z.ZodType<T>, text: string, what: string): T {
    try {
      return schema.parse(JSON.parse(text));
    } catch (cause) {
      const why = cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause);
      const message = `What ${this.base} tells of ${what} is not what Ray 2.9 or newer tells: ${why}`;
      throw new SluiceError('unavailable', message, { url: this.base }, { cause });
    }
  }
}

/** Of a Python traceback the part that says what is wrong. */
function lastLine(text: string): string {
  const lines = text.split('\n').map((line) => line.trim());
  return (lines.findLast((line) => line.length > 1) ?? 'without a reason').slice(0, 500);
}
