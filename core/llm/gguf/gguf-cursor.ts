import type { ByteSource } from '../../base';
import { SluiceError } from '../../contract';

/** About what a string costs beyond its own bytes. */
const STRING_COST_BYTES = 48;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads little-endian values one after the other, each checked against the end of the file first. */
export class GgufCursor {
  /** Of the next byte, from the start of the file. */
  offset = 0;

  constructor(private readonly source: ByteSource) {}

  get file(): string {
    return this.source.name;
  }

  get bytesLeft(): number {
    return this.source.sizeBytes - this.offset;
  }

  /** Accounts for memory that decoding takes. @throws SluiceError `bad-model` past the limit. */
  charge(bytes: number): void {
    this.source.charge(bytes, this.offset);
  }

  uint32(what: string): number {
    this.need(4, what);
    let value = 0;
    for (let index = 3; index >= 0; index -= 1) value = value * 256 + this.source.byteAt(this.offset + index);
    this.offset += 4;
    return value;
  }

  /** An unsigned 64-bit count, length or offset. @param limit above it the file is refused. */
  count(what: string, limit: number): number {
    const start = this.offset;
    const low = this.uint32(what);
    const value = this.uint32(what) * 2 ** 32 + low;
    if (value > limit) this.fail(`expected ${what} of at most ${limit}, found ${value}`, start);
    return value;
  }

  /** A copy of the next bytes. */
  bytes(byteLength: number, what: string): Uint8Array {
    this.need(byteLength, what);
    const bytes = this.source.copy(this.offset, byteLength);
    this.offset += byteLength;
    return bytes;
  }

  string(what: string, maxBytes: number): string {
    const start = this.offset;
    const byteLength = this.count(`a length of ${what}`, maxBytes);
    this.charge(STRING_COST_BYTES);
    const bytes = this.bytes(byteLength, what);
    try {
      return utf8.decode(bytes);
    } catch (cause) {
      return this.fail(`expected UTF-8 text in ${what}, found other bytes`, start, cause);
    }
  }

  /** @throws SluiceError `bad-model` naming file and byte. */
  fail(problem: string, offset = this.offset, cause?: unknown): never {
    throw badGguf(this.file, `byte ${offset}: ${problem}`, { offset }, cause);
  }

  private need(byteLength: number, what: string): void {
    const missing = byteLength - this.bytesLeft;
    if (missing <= 0) return;
    this.fail(
      `${what} takes ${byteLength} bytes, but the file ends at byte ${this.source.sizeBytes}: ${missing} bytes are ` +
        'missing; the file was cut short, copy or download it again',
    );
  }
}

/** The error for a file that is not what GGUF says it should be. */
export function badGguf(
  file: string,
  problem: string,
  details: Readonly<Record<string, string | number>> = {},
  cause?: unknown,
): SluiceError {
  return new SluiceError(
    'bad-model',
    `${file} is not a usable GGUF file: ${problem}`,
    { file, ...details },
    cause === undefined ? undefined : { cause },
  );
}
