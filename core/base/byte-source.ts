import { readSync } from 'node:fs';

import { SluiceError } from '../contract';

/** Small, because a model's weights are jumped over and every jump costs one window. */
const WINDOW_BYTES = 32 * 1024;

export interface ByteSourceOptions {
  /** How the file is called in error messages. */
  readonly name: string;
  readonly sizeBytes: number;
  /** An open file to read from; without it `bytes` holds everything. */
  readonly fd?: number;
  readonly bytes?: Uint8Array;
  /** What decoding may keep in memory before the file is refused. */
  readonly memoryLimitBytes: number;
}

/**
 * Random access to a file through one small window, or to bytes already in memory. Offsets and sizes are in bytes
 * and may pass 4 GiB. Callers check bounds against `sizeBytes` first.
 */
export class ByteSource {
  readonly name: string;
  readonly sizeBytes: number;
  /** Whether spans of this source can be handed out as file references. */
  readonly isFile: boolean;
  private readonly fd: number | undefined;
  private readonly memoryLimitBytes: number;
  private readonly window: Uint8Array;
  private windowStart = 0;
  private windowEnd = 0;
  private chargedBytes = 0;

  constructor(options: ByteSourceOptions) {
    this.name = options.name;
    this.sizeBytes = options.sizeBytes;
    this.fd = options.fd;
    this.isFile = options.fd !== undefined;
    this.memoryLimitBytes = options.memoryLimitBytes;
    this.window = options.bytes ?? new Uint8Array(WINDOW_BYTES);
    if (options.bytes) this.windowEnd = options.bytes.byteLength;
  }

  byteAt(offset: number): number {
    if (offset < this.windowStart || offset >= this.windowEnd) this.moveWindow(offset);
    return this.window[offset - this.windowStart] as number;
  }

  /** A fresh copy of `[offset, offset + byteLength)`, at offset 0 of its own buffer; counts against the limit. */
  copy(offset: number, byteLength: number): Uint8Array {
    this.charge(byteLength, offset);
    const target = new Uint8Array(byteLength);
    if (byteLength <= WINDOW_BYTES / 4 && offset + byteLength > this.windowEnd) this.moveWindow(offset);
    if (offset >= this.windowStart && offset + byteLength <= this.windowEnd) {
      const from = offset - this.windowStart;
      target.set(this.window.subarray(from, from + byteLength));
    } else {
      this.readInto(target, offset);
    }
    return target;
  }

  /**
   * Notes that decoding the bytes at `offset` takes about `bytes` of memory.
   * @throws SluiceError `bad-model` beyond the limit: a crafted file must not exhaust the machine.
   */
  charge(bytes: number, offset: number): void {
    this.chargedBytes += bytes;
    if (this.chargedBytes > this.memoryLimitBytes) {
      throw new SluiceError(
        'bad-model',
        `${this.name} needs more than ${this.memoryLimitBytes} bytes of memory besides its large weights ` +
          `(reached at byte ${offset}); it is damaged, or raise memoryLimitBytes`,
        { file: this.name, offset },
      );
    }
  }

  private moveWindow(offset: number): void {
    if (this.fd === undefined) {
      if (offset <= this.windowEnd) return;
      throw new RangeError(`byte ${offset} of ${this.name}: only ${this.sizeBytes} bytes`);
    }
    const length = Math.min(WINDOW_BYTES, this.sizeBytes - offset);
    // Empty until the read has succeeded, or a failed read would leave half a window.
    this.windowEnd = this.windowStart;
    this.readInto(this.window.subarray(0, length), offset);
    this.windowStart = offset;
    this.windowEnd = offset + length;
  }

  private readInto(target: Uint8Array, offset: number): void {
    let done = 0;
    while (done < target.byteLength) {
      const got = this.readSome(target, done, offset + done);
      if (got === 0) {
        throw new SluiceError(
          'io',
          `${this.name}: byte ${offset + done}: expected ${target.byteLength - done} more bytes, found the end ` +
            'of the file; it became shorter while it was read',
          { file: this.name, offset: offset + done },
        );
      }
      done += got;
    }
  }

  private readSome(target: Uint8Array, from: number, position: number): number {
    if (this.fd === undefined) throw new RangeError(`byte ${position} of ${this.name} is not in memory`);
    try {
      return readSync(this.fd, target, from, target.byteLength - from, position);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new SluiceError(
        'io',
        `${this.name}: reading ${target.byteLength - from} bytes at byte ${position} failed: ${reason}`,
        { file: this.name, offset: position },
        { cause },
      );
    }
  }
}
