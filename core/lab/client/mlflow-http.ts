const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;
const TIMEOUT_MS = 120_000;
const TOO_MANY = 429;

export interface ServerAddress {
  /** `http://127.0.0.1:5000` */
  readonly url: string;
  readonly token: string | undefined;
  /** How long a server that is away is asked again. */
  readonly patienceMs: number;
}

/** What a server refuses, which asking again does not change. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

type Body = string | Uint8Array<ArrayBuffer> | Blob;

/** MLflow's REST; what can't be answered now is asked again. */
export class MlflowHttp {
  constructor(private readonly address: ServerAddress) {}

  /** @throws RefusedError; Error when the server stayed away for longer than its patience. */
  async json(method: 'GET' | 'POST', path: string, body?: object | string): Promise<unknown> {
    const text = typeof body === 'object' ? JSON.stringify(body) : body;
    return (await this.insist(method, path, 'application/json', text)).json();
  }

  /** @throws as `json`. */
  async put(path: string, body: Body): Promise<void> {
    await (await this.insist('PUT', path, 'application/octet-stream', body)).arrayBuffer();
  }

  private async insist(method: string, path: string, type: string, body?: Body): Promise<Response> {
    const { url, token, patienceMs } = this.address;
    const headers = {
      ...(body !== undefined && { 'content-type': type }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    };
    const startMs = performance.now();
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const init = { method, headers, signal, ...(body !== undefined && { body }) };
      const answer = await fetch(`${url}/api/2.0/${path}`, init).catch((cause: unknown) => reasonOf(cause));
      if (typeof answer !== 'string' && answer.ok) return answer;
      const why = `${method} ${url}/api/2.0/${path}: ${typeof answer === 'string' ? answer : await saidBy(answer)}`;
      if (typeof answer !== 'string' && answer.status < 500 && answer.status !== TOO_MANY) {
        throw new RefusedError(answer.status, why);
      }
      if (performance.now() - startMs + pauseMs > patienceMs) throw new Error(why);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}

async function saidBy(answer: Response): Promise<string> {
  const text = await answer.text().catch(() => '');
  return `${answer.status} ${text.slice(0, 1000)}`.trim();
}

/** `fetch failed` has what failed as its cause. */
function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  return thrown.cause instanceof Error ? `${thrown.message}: ${thrown.cause.message}` : thrown.message;
}
