/** What kind of thing went wrong; decides exit codes, retry and wording in the console. */
export type ErrorCode =
  | 'bad-input' // the request or the user's tensor/image is wrong
  | 'bad-model' // the file is not a usable ONNX model
  | 'unsupported' // valid, but this build can't do it (names the operator, provider or feature)
  | 'not-found'
  | 'conflict' // another operation holds the same thing
  | 'budget-too-small' // details: minimumBytes, budgetBytes
  | 'corrupt-store' // checksum or structure of a layer store; details: layer
  | 'stale-store' // compiled for another CPU, runtime or Sluice version; recompile
  | 'io' // read, write, disk full
  | 'runtime' // ONNX Runtime refused or failed
  | 'engine-down' // the engine process is gone or restarting
  | 'unavailable' // an endpoint can't be reached, does not serve now, or gives no usable answer
  | 'overloaded' // its queue is full; details: retryAfterSec
  | 'timeout' // no answer within the deadline
  | 'unauthorized' // no token, or a wrong one
  | 'cancelled'
  | 'internal';

export type ErrorDetails = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** The shape an error has on the wire (IPC, WebSocket, CLI `--json`). */
export interface WireError {
  readonly code: ErrorCode;
  /** What failed, where, what was expected and found, and what to do. */
  readonly message: string;
  readonly details: ErrorDetails;
}

/** Whoever sends a name of a megabyte gets no answer of a megabyte: what is at fault stands at the ends. */
const MOST_MESSAGE_LETTERS = 4000;
/** Longer than any path. */
const MOST_DETAIL_LETTERS = 8192;

function shortened(text: string, letters: number): string {
  if (text.length <= letters) return text;
  const end = Math.floor(letters / 4);
  return `${text.slice(0, letters - end)} [...] ${text.slice(-end)}`;
}

function shortDetails(details: ErrorDetails): ErrorDetails {
  const short = <T>(value: T): T =>
    (typeof value === 'string' ? shortened(value, MOST_DETAIL_LETTERS) : value) as T;
  return Object.fromEntries(
    Object.entries(details).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.map(short) : short(value),
    ]),
  );
}

/** The one error class of Sluice. `cause` keeps the lower-level error. What is said is short, whatever was found. */
export class SluiceError extends Error {
  override readonly name = 'SluiceError';
  readonly details: ErrorDetails;

  constructor(
    readonly code: ErrorCode,
    message: string,
    details: ErrorDetails = {},
    options?: { cause?: unknown },
  ) {
    super(shortened(message, MOST_MESSAGE_LETTERS), options);
    this.details = shortDetails(details);
  }

  toWire(): WireError {
    return { code: this.code, message: this.message, details: this.details };
  }

  static fromWire(wire: WireError): SluiceError {
    return new SluiceError(wire.code, wire.message, wire.details);
  }

  /** Wraps anything thrown; a `SluiceError` passes through unchanged. */
  static from(thrown: unknown, code: ErrorCode = 'internal'): SluiceError {
    if (thrown instanceof SluiceError) return thrown;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return new SluiceError(code, message, {}, { cause: thrown });
  }
}
