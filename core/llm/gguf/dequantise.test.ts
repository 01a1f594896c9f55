import { readFileSync } from 'node:fs';
import path from 'node:path';

import { describe, expect, it } from 'vitest';

import { typeNamed } from '../test-support/random-blocks';
import { dequantise, READABLE_TYPES, requireReadable } from './dequantise';

interface Case {
  readonly type: string;
  readonly blocks: string;
  readonly float32: string;
}
const FIXTURE = path.resolve(import.meta.dirname, '../test-support/ggml-blocks.json');
const { cases } = JSON.parse(readFileSync(FIXTURE, 'utf8')) as { readonly cases: readonly Case[] };

describe('dequantise', () => {
  it.each(cases.map((one) => [one.type, one] as const))(
    '%s: the bits of llama.cpp',
    (name, { blocks, float32 }) => {
      const expected = Uint8Array.from(Buffer.from(float32, 'base64'));
      const out = new Float32Array(expected.byteLength / 4);
      dequantise(typeNamed(name), Buffer.from(blocks, 'base64'), out);
      expect(Buffer.from(out.buffer).equals(expected)).toBe(true);
    },
  );

  it('has a case for every type it reads', () => {
    expect(cases.map((one) => one.type).sort()).toEqual([...READABLE_TYPES].sort());
  });

  it('names what it can not read, and what it can', () => {
    const tensor = { name: 'blk.0.ffn_up.weight', type: typeNamed('IQ2_XS') };
    expect(() => requireReadable('m.gguf', tensor)).toThrow(
      /m.gguf: tensor 'blk.0.ffn_up.weight' is quantised as IQ2_XS, which can't be read. F32, F16, .* Q6_K can/,
    );
    expect(() => dequantise(tensor.type, new Uint8Array(74), new Float32Array(256))).toThrow(
      /IQ2_XS can't be read/,
    );
    expect(() => dequantise(typeNamed('Q4_0'), new Uint8Array(19), new Float32Array(32))).toThrow(
      /whole blocks/,
    );
  });
});
