import { deflateSync } from 'node:zlib';

import type { Format } from './parse-process';

/** A file that was made to hurt whoever reads it, small or quickly made. */
export interface CraftedFile {
  readonly format: Format;
  /** Relative to the folder of its reader. */
  readonly file: string;
  readonly what: string;
  readonly bytes: () => Uint8Array;
  /** What it is refused with; absent: it is sound, and only large. */
  readonly refusal?: RegExp;
}

const ascii = (text: string): Buffer => Buffer.from(text, 'latin1');
const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const u64 = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
};

// Protocol buffers, as ONNX files are.
function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let left = BigInt.asUintN(64, value);
  for (; left > 0x7fn; left >>= 7n) bytes.push(Number(left & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(left)]);
}
const integer = (field: number, value: bigint): Buffer =>
  Buffer.concat([varint(BigInt(field << 3)), varint(value)]);
const part = (field: number, ...content: readonly Uint8Array[]): Buffer => {
  const whole = Buffer.concat(content);
  return Buffer.concat([varint(BigInt((field << 3) | 2)), varint(BigInt(whole.byteLength)), whole]);
};
const text = (field: number, value: string): Buffer => part(field, Buffer.from(value));
/** Fields of GraphProto: 1 nodes, 5 initializers; of NodeProto: 1 inputs, 2 outputs, 4 operator. */
const onnx = (...graph: readonly Uint8Array[]): Buffer => onnxOf(graph);
const onnxOf = (graph: readonly Uint8Array[]): Buffer =>
  Buffer.concat([integer(1, 8n), part(7, text(2, 'g'), Buffer.concat(graph)), part(8, integer(2, 17n))]);
const node = (input: string, output: string, ...more: readonly Uint8Array[]): Buffer =>
  part(1, text(1, input), text(2, output), text(4, 'Relu'), ...more);
const weight = (dims: readonly bigint[], ...more: readonly Uint8Array[]): Buffer =>
  part(5, ...dims.map((dim) => integer(1, dim)), integer(2, 1n), text(8, 'w'), ...more);
const external = (key: string, value: string): Buffer => part(13, text(1, key), text(2, value));
const MANY = 1_000_000;
const LONG = 'n'.repeat(16 << 20);
const lastFirst = (count: number): readonly Buffer[] =>
  Array.from({ length: count }, (_, index) => node(`v${count - index}`, `v${count - index + 1}`));

const ONNX: readonly (readonly [what: string, bytes: () => Uint8Array, refusal?: RegExp])[] = [
  // Whether it is read or refused, it has to be soon.
  ['a million nodes', () => onnxOf(new Array<Buffer>(MANY).fill(node('a', 'b'))), /.*/],
  ['30,000 nodes, the last one first', () => onnxOf(lastFirst(30_000)), /.*/],
  // Names of 16 MiB, which messages are made of.
  [
    'a node whose operator is a long name',
    () => onnx(part(1, text(1, 'x'), text(2, 'y'), text(4, LONG))),
    /.*/,
  ],
  [
    'a tensor of a long name and no data',
    () => onnx(part(5, integer(1, 1n), integer(2, 1n), text(8, LONG))),
    /\[\.\.\.\]/,
  ],
  [
    'data in a file of a long name',
    () => onnx(weight([1n], integer(14, 1n), external('location', LONG))),
    /.*/,
  ],
  ['nodes in a circle', () => onnx(node('a', 'b'), node('b', 'a')), /.*/],
  [
    'a node of a million inputs',
    () => onnx(part(1, Buffer.concat(new Array<Buffer>(MANY).fill(text(1, 'x'))))),
    /.*/,
  ],
  ['a shape whose size is no number', () => onnx(weight(new Array<bigint>(40).fill(2n ** 62n))), /.*/],
  ['a shape of 2^64 elements', () => onnx(weight([2n ** 32n, 2n ** 32n])), /.*/],
  ['a negative size', () => onnx(weight([-1n])), /found -1/],
  [
    'a tensor of a million sizes',
    () =>
      onnx(
        part(5, Buffer.concat(new Array<Buffer>(MANY).fill(integer(1, 1n))), integer(2, 1n), text(8, 'w')),
      ),
    /.*/,
  ],
  [
    'data elsewhere on the machine',
    () => onnx(weight([1n], integer(14, 1n), external('location', '/etc/passwd'))),
    /absolute path/,
  ],
  [
    'data above its folder',
    () => onnx(weight([1n], integer(14, 1n), external('location', 'a/../../passwd'))),
    /leads out of the folder/,
  ],
  [
    'data before the beginning of their file',
    () => onnx(weight([1n], integer(14, 1n), external('location', 'x'), external('offset', '-4'))),
    /decimal bytes/,
  ],
];

const ggufHead = (tensors: bigint, pairs: bigint): Buffer =>
  Buffer.concat([ascii('GGUF'), u32(3), u64(tensors), u64(pairs)]);
const key = (name: string, type: number): Buffer =>
  Buffer.concat([u64(BigInt(name.length)), ascii(name), u32(type)]);
const ARRAY = 9;
const GGUF: readonly (readonly [what: string, bytes: () => Uint8Array])[] = [
  ['2^63 tensors', () => ggufHead(2n ** 63n, 0n)],
  ['2^64 - 1 pairs', () => ggufHead(0n, 2n ** 64n - 1n)],
  ['a key of 2^62 letters', () => Buffer.concat([ggufHead(0n, 1n), u64(2n ** 62n)])],
  [
    'an array of 2^40 numbers',
    () => Buffer.concat([ggufHead(0n, 1n), key('a', ARRAY), u32(4), u64(2n ** 40n)]),
  ],
  [
    'arrays in arrays',
    () =>
      Buffer.concat([
        ggufHead(0n, 1n),
        key('a', ARRAY),
        ...new Array<Buffer>(100_000).fill(Buffer.concat([u32(ARRAY), u64(1n)])),
      ]),
  ],
  [
    'a tensor of 2^64 elements',
    () =>
      Buffer.concat([
        ggufHead(1n, 0n),
        ...[u64(1n), ascii('t'), u32(2), u64(2n ** 32n), u64(2n ** 32n), u32(0), u64(0n)],
      ]),
  ],
  [
    'a tensor of 2^32 dimensions',
    () => Buffer.concat([ggufHead(1n, 0n), u64(1n), ascii('t'), u32(2 ** 32 - 1)]),
  ],
];

const npy = (header: string, length = header.length): Buffer =>
  Buffer.concat([ascii('\x93NUMPY\x01\0'), Buffer.from([length & 255, length >> 8]), ascii(header)]);
const dict = (descr: string, shape: string): string =>
  `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }\n`;
const NPY: readonly (readonly [what: string, bytes: () => Uint8Array])[] = [
  ['a shape of 2^64 elements', () => npy(dict('<f4', '(4294967296, 4294967296)'))],
  ['a shape that is no number', () => npy(dict('<f4', `(${'9'.repeat(400)},)`))],
  ['a negative shape', () => npy(dict('<f4', '(-1, 4)'))],
  ['Python objects', () => npy(dict('|O', '(1,)'))],
  ['a header past the end', () => npy(dict('<f4', '(1,)'), 65_535)],
  ['brackets without end', () => npy('('.repeat(60_000))],
];

/** A picture of zeros, many times smaller than what it becomes. */
function png(width: number, height: number, packed: Uint8Array): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    ascii('\x89PNG\r\n\x1a\n'),
    ...[
      ['IHDR', head],
      ['IDAT', packed],
      ['IEND', Buffer.alloc(0)],
    ].map(([name, content]) => chunk(name as string, content as Uint8Array)),
  ]);
}
function chunk(name: string, content: Uint8Array): Buffer {
  const told = Buffer.concat([ascii(name), content]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.byteLength);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc(told));
  return Buffer.concat([length, told, sum]);
}
function crc(bytes: Uint8Array): number {
  let sum = 0xffff_ffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = sum & 1 ? (sum >>> 1) ^ 0xedb8_8320 : sum >>> 1;
  }
  return (sum ^ 0xffff_ffff) >>> 0;
}
const PNG: readonly (readonly [what: string, bytes: () => Uint8Array])[] = [
  ['of 2^31 by 2^31 points', () => png(2 ** 31 - 1, 2 ** 31 - 1, deflateSync(Buffer.alloc(1)))],
  ['of 100,000 by 100,000 points', () => png(100_000, 100_000, deflateSync(Buffer.alloc(2 ** 20)))],
  ['whose data become 1000 times as much', () => png(30_000, 30_000, deflateSync(Buffer.alloc(2 ** 26)))],
];

const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
const JSON_FILES: readonly (readonly [format: Format, file: string])[] = [
  ['layer-store', 'store/manifest.json'],
  ['conversation', '0f8fad5b-d9cb-469f-a165-70867728950e/conversation.json'],
  ['sessions', 'sessions/0123456789abcdef/session.json'],
  ['published', 'published.json'],
  ['state endpoints', 'endpoints.json'],
  ['state fleet', 'fleet.json'],
  ['state pushes', 'pushes.json'],
  ['state offload', 'offload.json'],
  ['runs', 'runs.json'],
  ['library', 'library/models/asked/entry.json'],
  ['figures', 'figures/profile.json'],
  ['figures', 'figures/measured.json'],
  ['agent', 'agents/q-learning-f229afd0a27e.checkpoint'],
  ['sealed agent', 'agents/q-learning-f229afd0a27e.checkpoint'],
  ['competition', 'competition.json'],
];
const JSONS: readonly (readonly [what: string, bytes: () => Uint8Array])[] = [
  ['nothing', () => Buffer.alloc(0)],
  ['brackets in brackets', () => ascii(nested(100_000))],
  ['an array of a million', () => ascii(`[${'1,'.repeat(MANY)}1]`)],
  ['objects in objects', () => ascii(`${'{"format": '.repeat(100_000)}1${'}'.repeat(100_000)}`)],
  [
    'a text of 32 MiB',
    () => Buffer.concat([ascii('{"format": "'), Buffer.alloc(32 << 20, 'a'), ascii('"}')]),
  ],
  ['a million keys', () => ascii(`{${Array.from({ length: MANY }, (_, at) => `"${at}":1`).join()}}`)],
  ['versions twice', () => ascii('{"format": 1, "format": 1000, "version": 1, "version": 1000}')],
  ['a key of its prototype', () => ascii('{"__proto__": {"version": 1, "content": []}, "content": []}')],
  ['no UTF-8', () => Buffer.from([0xff, 0xfe, 0x7b])],
  ['a number that is none', () => ascii('{"version": 1e999, "format": 1e999}')],
];

const deployment = (users: number, periodMs: number): Uint8Array => {
  const settings = { users, thresholdPct: 85, agent: 'factored', periodMs, explorationCap: 0.1 };
  return ascii(JSON.stringify({ version: 1, content: { settings, variants: [] } }));
};
const DEPLOYMENTS: readonly (readonly [what: string, bytes: () => Uint8Array])[] = [
  ['of a billion users', () => deployment(1e9, 200)],
  ['with a period that no timer takes', () => deployment(1, 1e300)],
];

/** Every file that once broke a reader, or is made as such files are. A new one is a line here. */
export const CRAFTED_FILES: readonly CraftedFile[] = [
  ...DEPLOYMENTS.map(([what, bytes]): CraftedFile => ({
    ...{ format: 'state offload', file: 'offload.json', what: `a deployment ${what}`, bytes, refusal: /./ },
  })),
  ...ONNX.map(([what, bytes, refusal]): CraftedFile => ({
    ...{ format: 'onnx', file: 'crafted.onnx', what: `ONNX: ${what}`, bytes },
    ...(refusal && { refusal }),
  })),
  ...GGUF.map(([what, bytes]): CraftedFile => ({
    ...{ format: 'language', file: 'crafted.gguf', what: `GGUF: ${what}`, bytes, refusal: /./ },
  })),
  ...NPY.map(([what, bytes]): CraftedFile => ({
    ...{ format: 'npy', file: 'a.npy', what: `.npy: ${what}` },
    bytes,
    refusal: /./,
  })),
  ...PNG.map(([what, bytes]): CraftedFile => ({
    ...{ format: 'image', file: 'a.png', what: `PNG ${what}` },
    bytes,
    refusal: /./,
  })),
  ...JSON_FILES.flatMap(([format, file]) =>
    JSONS.map(([what, bytes]): CraftedFile => ({
      format,
      file,
      what: `${file}: ${what}`,
      bytes,
      refusal: /./,
    })),
  ),
];
