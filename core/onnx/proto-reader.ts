import type { ByteSource } from '../base';
import { SluiceError } from '../contract';
import { WIRE_BYTES, WIRE_FIXED32, WIRE_FIXED64, WIRE_VARINT, fieldName } from './schema';
import type { MessageName } from './schema';

/** Protocol Buffers' own default. A graph in a graph takes three levels. */
const MAX_DEPTH = 100;
/** About what a decoded message or string costs beyond its own bytes. */
const MESSAGE_COST_BYTES = 200;
const STRING_COST_BYTES = 48;

const WIRE_NAMES = ['varint', '64-bit', 'length-delimited', 'group start', 'group end', '32-bit', '6', '7'];
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads the fields of one protobuf message in file order (https://protobuf.dev/programming-guides/encoding/).
 * `next` checks the field's bounds; the value methods then read the current field and may be called or not.
 */
export class ProtoReader {
  /** Number of the current field. */
  field = 0;
  /** Where the current field's tag, its payload and the byte after it stand in the file. */
  tagOffset: number;
  start = 0;
  stop: number;
  private wire = 0;
  private low = 0;
  private high = 0;

  constructor(
    readonly source: ByteSource,
    readonly message: MessageName,
    begin: number,
    readonly end: number,
    private readonly depth = 0,
  ) {
    this.stop = begin;
    this.tagOffset = begin;
  }

  /** Moves to the next field. @returns false at the end of the message. */
  next(): boolean {
    if (this.stop >= this.end) return false;
    this.tagOffset = this.stop;
    const afterTag = this.varintAt(this.tagOffset);
    this.field = ((this.low >>> 3) | (this.high << 29)) >>> 0;
    this.wire = this.low & 7;
    if (this.field === 0 || this.high > 7) {
      this.fail('expected a field of ' + this.message + ', found field number 0 or one out of range');
    }
    this.start = afterTag;
    switch (this.wire) {
      case WIRE_VARINT:
        this.stop = this.varintAt(afterTag);
        return true;
      case WIRE_FIXED64:
        return this.setLength(8);
      case WIRE_FIXED32:
        return this.setLength(4);
      case WIRE_BYTES:
        this.start = this.varintAt(afterTag);
        return this.setLength(this.high * 2 ** 32 + this.low);
      default:
        return this.fail(
          `expected a field of ${this.message}, found wire type ${this.wire} ` +
            `(${WIRE_NAMES[this.wire]}), which ONNX never uses`,
        );
    }
  }

  get byteLength(): number {
    return this.stop - this.start;
  }

  /** Whether the current field holds packed values or bytes, rather than one number. */
  get isBytes(): boolean {
    return this.wire === WIRE_BYTES;
  }

  /** A signed 64-bit value. */
  bigint(): bigint {
    this.expectWire(WIRE_VARINT);
    return toBigInt(this.low, this.high);
  }

  /** A signed integer that JavaScript holds exactly. */
  integer(): number {
    this.expectWire(WIRE_VARINT);
    return this.safeInteger(this.low, this.high);
  }

  float(): number {
    this.expectWire(WIRE_FIXED32);
    return new DataView(this.source.copy(this.start, 4).buffer).getFloat32(0, true);
  }

  /** A copy of the payload. */
  bytes(): Uint8Array {
    this.expectWire(WIRE_BYTES);
    this.source.charge(STRING_COST_BYTES, this.start);
    return this.source.copy(this.start, this.byteLength);
  }

  string(): string {
    const bytes = this.bytes();
    try {
      return utf8.decode(bytes);
    } catch (cause) {
      return this.fail(`expected UTF-8 text in ${this.name()}, found other bytes`, cause);
    }
  }

  /** The current field as a message of its own. */
  child(message: MessageName): ProtoReader {
    this.expectWire(WIRE_BYTES);
    if (this.depth >= MAX_DEPTH) this.fail(`messages are nested more than ${MAX_DEPTH} deep`);
    this.source.charge(MESSAGE_COST_BYTES, this.start);
    return new ProtoReader(this.source, message, this.start, this.stop, this.depth + 1);
  }

  /** The same message again, from its first field at `begin`. */
  restart(begin: number): ProtoReader {
    return new ProtoReader(this.source, this.message, begin, this.end, this.depth);
  }

  /** Visits the field's 64-bit values, packed or single, as unsigned low and high halves. */
  varints(visit: (low: number, high: number) => void): void {
    if (this.wire === WIRE_VARINT) {
      visit(this.low, this.high);
      return;
    }
    this.expectWire(WIRE_BYTES);
    let offset = this.start;
    while (offset < this.stop) {
      offset = this.varintAt(offset, this.stop);
      visit(this.low, this.high);
    }
  }

  /** Adds the field's values to `values`. `costBytes`: memory per value. */
  bigintsInto(values: bigint[], costBytes = 32): void {
    this.source.charge(costBytes * (this.isBytes ? this.byteLength : 1), this.start);
    this.varints((low, high) => values.push(toBigInt(low, high)));
  }

  integersInto(values: number[]): void {
    this.source.charge(16 * (this.isBytes ? this.byteLength : 1), this.start);
    this.varints((low, high) => values.push(this.safeInteger(low, high)));
  }

  checkBytes(): void {
    this.expectWire(WIRE_BYTES);
  }

  /** Bytes of one 32- or 64-bit value or of a packed run of them, with the width checked. */
  checkFixed(width: 4 | 8): void {
    if (this.wire !== WIRE_BYTES) {
      this.expectWire(width === 4 ? WIRE_FIXED32 : WIRE_FIXED64);
    } else if (this.byteLength % width !== 0) {
      this.fail(`expected a multiple of ${width} bytes in ${this.name()}, found ${this.byteLength} bytes`);
    }
  }

  floatsInto(values: number[]): void {
    this.checkFixed(4);
    const bytes = this.source.copy(this.start, this.byteLength);
    this.source.charge(4 * bytes.byteLength, this.start);
    const view = new DataView(bytes.buffer);
    for (let at = 0; at < bytes.byteLength; at += 4) values.push(view.getFloat32(at, true));
  }

  /** Tag, length and payload of the current field, to be written back unchanged. */
  wholeField(): Uint8Array {
    this.source.charge(STRING_COST_BYTES, this.tagOffset);
    return this.source.copy(this.tagOffset, this.stop - this.tagOffset);
  }

  /** @throws SluiceError `bad-model` naming file and byte. */
  fail(problem: string, cause?: unknown): never {
    throw badModel(this.source.name, this.tagOffset, problem, cause);
  }

  private name(): string {
    return fieldName(this.message, this.field);
  }

  private expectWire(wire: number): void {
    if (this.wire === wire) return;
    this.fail(`expected ${this.name()} to be ${WIRE_NAMES[wire]}, found ${WIRE_NAMES[this.wire]}`);
  }

  private safeInteger(low: number, high: number): number {
    const value = (high | 0) * 2 ** 32 + low;
    if (!Number.isSafeInteger(value)) this.fail(`${this.name()} is out of range: ${toBigInt(low, high)}`);
    return value;
  }

  private setLength(byteLength: number): true {
    this.stop = this.start + byteLength;
    if (this.stop > this.end) this.pastEnd(byteLength);
    return true;
  }

  private pastEnd(byteLength: number): never {
    const size = this.source.sizeBytes;
    if (this.stop > size) {
      this.fail(
        `${this.name()} needs ${byteLength} bytes from byte ${this.start}, but the file ends at byte ${size}: ` +
          `${this.stop - size} bytes are missing; the file was cut short, copy or download it again`,
      );
    }
    return this.fail(
      `${this.name()} needs ${byteLength} bytes from byte ${this.start}, but its ${this.message} ends at byte ` +
        `${this.end}; the file is damaged`,
    );
  }

  /** Sets `low` and `high`. @returns the offset after the varint. */
  private varintAt(begin: number, limit = this.end): number {
    let low = 0;
    let high = 0;
    for (let index = 0; index < 10; index += 1) {
      const offset = begin + index;
      if (offset >= limit) return this.cutVarint(offset);
      const byte = this.source.byteAt(offset);
      const part = byte & 127;
      if (index < 4) {
        low |= part << (7 * index);
      } else if (index === 4) {
        low |= part << 28;
        high = part >>> 4;
      } else {
        high |= part << (7 * index - 32);
      }
      if (byte < 128) {
        this.low = low >>> 0;
        this.high = high >>> 0;
        return offset + 1;
      }
    }
    return this.fail(
      `expected a number of at most 10 bytes at byte ${begin} in ${this.message}, found a longer one`,
    );
  }

  private cutVarint(offset: number): never {
    return this.fail(
      offset >= this.source.sizeBytes
        ? `the file ends at byte ${offset} in the middle of a number of ${this.message}: at least 1 byte is ` +
            'missing; the file was cut short, copy or download it again'
        : `a number runs past the end of its ${this.message} at byte ${offset}; the file is damaged`,
    );
  }
}

/** The error for a file whose bytes are not an ONNX model. */
export function badModel(file: string, offset: number, problem: string, cause?: unknown): SluiceError {
  return new SluiceError(
    'bad-model',
    `${file} is not a usable ONNX model: byte ${offset}: ${problem}`,
    { file, offset },
    cause === undefined ? undefined : { cause },
  );
}

function toBigInt(low: number, high: number): bigint {
  if (high === 0) return BigInt(low);
  return BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low));
}
