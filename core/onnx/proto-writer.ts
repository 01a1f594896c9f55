import type { FileData } from './model';
import { WIRE_BYTES, WIRE_FIXED32, WIRE_VARINT } from './schema';

/** Bytes copied from a file when the message is written out. */
export type FileSpan = Omit<FileData, 'kind'>;
export type Segment = Uint8Array | FileSpan;

/** Blocks at least this large are referred to instead of copied into the buffer. */
const SHARE_BYTES = 16 * 1024;
const encoder = new TextEncoder();

/** Builds one protobuf message as a list of segments; large blocks and file spans stay where they are. */
export class ProtoWriter {
  private readonly segments: Segment[] = [];
  private buffer = new Uint8Array(256);
  private used = 0;
  private sealedBytes = 0;

  get byteLength(): number {
    return this.sealedBytes + this.used;
  }

  /** A varint field; negative numbers take ten bytes, as the format has it. */
  integer(field: number, value: number | bigint): void {
    this.tag(field, WIRE_VARINT);
    this.varint(value);
  }

  float(field: number, value: number): void {
    this.tag(field, WIRE_FIXED32);
    this.append(new Uint8Array(Float32Array.of(value).buffer));
  }

  string(field: number, value: string): void {
    this.bytes(field, encoder.encode(value));
  }

  bytes(field: number, value: Segment): void {
    this.tag(field, WIRE_BYTES);
    this.varint(value.byteLength);
    this.appendSegment(value);
  }

  message(field: number, child: ProtoWriter): void {
    this.tag(field, WIRE_BYTES);
    this.varint(child.byteLength);
    for (const segment of child.finish()) this.appendSegment(segment);
  }

  packedIntegers(field: number, values: readonly (number | bigint)[]): void {
    const packed = new ProtoWriter();
    for (const value of values) packed.varint(value);
    this.message(field, packed);
  }

  packedFloats(field: number, values: readonly number[]): void {
    this.bytes(field, new Uint8Array(Float32Array.from(values).buffer));
  }

  /** Fields already encoded. */
  raw(fields: Uint8Array): void {
    this.appendSegment(fields);
  }

  /** The message; the writer must not be used afterwards. */
  finish(): readonly Segment[] {
    this.seal();
    return this.segments;
  }

  private tag(field: number, wire: number): void {
    this.varint(field * 8 + wire);
  }

  private varint(value: number | bigint): void {
    if (typeof value === 'bigint' || value < 0 || value > 0xffffffff) {
      this.wideVarint(BigInt.asUintN(64, BigInt(value)));
      return;
    }
    this.reserve(5);
    let rest = value;
    while (rest > 127) {
      this.buffer[this.used++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    this.buffer[this.used++] = rest;
  }

  private wideVarint(value: bigint): void {
    this.reserve(10);
    let rest = value;
    while (rest > 127n) {
      this.buffer[this.used++] = Number(rest & 127n) | 128;
      rest >>= 7n;
    }
    this.buffer[this.used++] = Number(rest);
  }

  private appendSegment(segment: Segment): void {
    if (segment instanceof Uint8Array && segment.byteLength < SHARE_BYTES) {
      this.append(segment);
      return;
    }
    this.seal();
    this.segments.push(segment);
    this.sealedBytes += segment.byteLength;
  }

  private append(bytes: Uint8Array): void {
    this.reserve(bytes.byteLength);
    this.buffer.set(bytes, this.used);
    this.used += bytes.byteLength;
  }

  private reserve(bytes: number): void {
    if (this.used + bytes <= this.buffer.byteLength) return;
    const larger = new Uint8Array(Math.max(2 * this.buffer.byteLength, this.used + bytes));
    larger.set(this.buffer.subarray(0, this.used));
    this.buffer = larger;
  }

  private seal(): void {
    if (this.used === 0) return;
    this.segments.push(this.buffer.subarray(0, this.used));
    this.sealedBytes += this.used;
    this.buffer = new Uint8Array(256);
    this.used = 0;
  }
}
