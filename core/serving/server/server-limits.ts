/** What a server puts up with from one peer. */
export interface ServerLimits {
  /** Largest body of a request; larger ones are refused unread (HTTP 413, gRPC RESOURCE_EXHAUSTED). */
  readonly bodyBytes: number;
  /** Time in which a request's headers must be there. */
  readonly headersTimeoutMs: number;
  /** Time in which a whole request must be there: a client that sends a byte now and then is cut off. */
  readonly requestTimeoutMs: number;
  /** Time in which a model that is published must be there. */
  readonly uploadTimeoutMs: number;
  /** Time a client of a stream may take nothing of what it is sent. */
  readonly stallMs: number;
  /** HTTP connections at once, and gRPC calls at once on one connection. */
  readonly connections: number;
}

export const DEFAULT_LIMITS: ServerLimits = {
  bodyBytes: 256 * 2 ** 20,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 120_000,
  uploadTimeoutMs: 3_600_000,
  stallMs: 30_000,
  connections: 256,
};

/** Certificate chain and private key, PEM. */
export interface TlsFiles {
  readonly cert: Buffer;
  readonly key: Buffer;
}
