import type { ErrorCode } from '../../contract';

interface Statuses {
  readonly http: number;
  /** gRPC status code (google.rpc.Code). */
  readonly grpc: number;
}

const GRPC = {
  cancelled: 1,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
};

/** The one place where errors become statuses. 499 is what proxies log for a client that went away. */
const STATUSES: Readonly<Record<ErrorCode, Statuses>> = {
  'bad-input': { http: 400, grpc: GRPC.invalidArgument },
  'bad-model': { http: 500, grpc: GRPC.failedPrecondition },
  unsupported: { http: 501, grpc: GRPC.unimplemented },
  'not-found': { http: 404, grpc: GRPC.notFound },
  conflict: { http: 409, grpc: GRPC.aborted },
  'budget-too-small': { http: 507, grpc: GRPC.failedPrecondition },
  'corrupt-store': { http: 500, grpc: GRPC.dataLoss },
  'stale-store': { http: 500, grpc: GRPC.failedPrecondition },
  io: { http: 500, grpc: GRPC.internal },
  runtime: { http: 500, grpc: GRPC.internal },
  'engine-down': { http: 503, grpc: GRPC.unavailable },
  unavailable: { http: 503, grpc: GRPC.unavailable },
  overloaded: { http: 503, grpc: GRPC.resourceExhausted },
  timeout: { http: 504, grpc: GRPC.deadlineExceeded },
  unauthorized: { http: 401, grpc: GRPC.unauthenticated },
  cancelled: { http: 499, grpc: GRPC.cancelled },
  internal: { http: 500, grpc: GRPC.internal },
};

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(STATUSES, value);
}

export function statusesOf(code: ErrorCode): Statuses {
  return STATUSES[code];
}

const BY_HTTP_STATUS: Readonly<Record<number, ErrorCode>> = {
  401: 'unauthorized',
  403: 'unauthorized',
  404: 'not-found',
  408: 'timeout',
  409: 'conflict',
  429: 'overloaded',
  501: 'unsupported',
  502: 'unavailable',
  503: 'unavailable',
  504: 'timeout',
  507: 'budget-too-small',
};

/** What any server's HTTP status (300 or above) means to us, whatever it writes beside it. */
export function codeOfHttpStatus(status: number): ErrorCode {
  if (status < 400) return 'unavailable';
  return BY_HTTP_STATUS[status] ?? (status < 500 ? 'bad-input' : 'runtime');
}
