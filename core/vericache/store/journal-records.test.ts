import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../base';
import type { JournalHeader } from './cache-identity';
import {
  commitRecord,
  headerRecord,
  scanJournal,
  truncateRecord,
  type JournalContent,
} from './journal-records';
import { IDENTITY, tokensOf } from './test-support/made-cache';

const HEADER: JournalHeader = {
  version: 1,
  identity: IDENTITY,
  shape: { layers: 2, kvHeads: 1, headDim: 8, capacityTokens: 1024 },
};

/** What a journal said after each of its records. */
interface State {
  readonly byteLength: number;
  readonly blocks: number;
  readonly tokens: readonly number[];
  readonly sums: readonly bigint[];
}

function countedSums({ layout, sums, blocks }: JournalContent): bigint[] {
  const counted: bigint[] = [];
  for (let layer = 0; layer < layout.shape.layers; layer += 1) {
    for (let region = 0; region < layout.regions; region += 1) {
      const at = layout.sumIndex(layer, region, 0);
      counted.push(...sums.subarray(at, at + blocks));
    }
  }
  return counted;
}

function stateOf(content: JournalContent): State {
  const { byteLength, blocks, tokens } = content;
  return { byteLength, blocks, tokens: [...tokens], sums: countedSums(content) };
}

/** A journal of commits and truncations: `blocks` after each. */
function journalOf(blockCounts: readonly number[]): { readonly bytes: Uint8Array; readonly states: State[] } {
  const random = seededRandom(5);
  const first = headerRecord(HEADER);
  const content = scanJournal(first.bytes)!;
  const parts: Uint8Array[] = [first.bytes];
  const states = [stateOf(content)];
  for (const [text, blocks] of blockCounts.entries()) {
    const { blocks: from } = content;
    if (blocks === from) continue;
    const tokens = Array.from({ length: Math.max(0, blocks - from) }, (_, at) =>
      tokensOf(text, from + at),
    ).flat();
    for (let at = 0; at < content.sums.length; at += 1) {
      const block = at % content.layout.capacityBlocks;
      if (block >= from) content.sums[at] = BigInt(Math.floor(random() * 2 ** 52));
    }
    const record =
      blocks > from ? commitRecord(content, blocks, tokens) : truncateRecord(blocks, content.digest);
    parts.push(record.bytes);
    content.byteLength += record.bytes.byteLength;
    content.digest = record.digest;
    content.tokens.length = Math.min(from, blocks) * 128;
    content.tokens.push(...tokens);
    content.blocks = blocks;
    states.push(stateOf(content));
  }
  return { bytes: Buffer.concat(parts), states };
}

/** The last state that fits into so many bytes. */
function prefixOf(states: readonly State[], byteLength: number): State | undefined {
  return states.filter((state) => state.byteLength <= byteLength).at(-1);
}

const found = (bytes: Uint8Array): State | undefined => {
  const content = scanJournal(bytes);
  return content && stateOf(content);
};

describe('a journal', () => {
  const blockCounts = fc.array(fc.integer({ min: 0, max: 8 }), { maxLength: 6 });

  it('says what was written', () => {
    fc.assert(
      fc.property(blockCounts, (counts) => {
        const { bytes, states } = journalOf(counts);
        expect(found(bytes)).toEqual(states.at(-1));
      }),
    );
  });

  it('cut at any byte says what its whole records say', () => {
    const { bytes, states } = journalOf([1, 3, 2, 5]);
    for (let byteLength = 0; byteLength <= bytes.byteLength; byteLength += 1) {
      const expected = prefixOf(states, byteLength);
      const content = scanJournal(bytes.subarray(0, byteLength));
      expect([content?.blocks, content?.byteLength]).toEqual([expected?.blocks, expected?.byteLength]);
    }
  });

  it('with any bit flipped says what the records before it say', () => {
    const journal = journalOf([1, 3, 2, 5, 4]);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: journal.bytes.byteLength * 8 - 1 }), (bit) => {
        const bytes = Uint8Array.from(journal.bytes);
        bytes[bit >> 3] = bytes[bit >> 3]! ^ (1 << (bit & 7));
        expect(found(bytes)).toEqual(prefixOf(journal.states, bit >> 3));
      }),
    );
  });

  it('takes no record out of its place', () => {
    const { bytes, states } = journalOf([2, 4, 2, 4]);
    const [header, two] = states as [State, State];
    const ends = states.map((state) => state.byteLength);
    const records = ends.slice(1).map((end, at) => bytes.subarray(ends[at], end));
    const first = bytes.subarray(0, header.byteLength);
    expect(found(Buffer.concat([first, records[1]!]))).toEqual(header);
    expect(found(Buffer.concat([first, records[0]!, records[3]!]))).toEqual(two);
    expect(found(Buffer.concat([first, records[0]!, records[0]!]))).toEqual(two);
    expect(found(records[0]!.subarray(8))).toBeUndefined();
  });

  it('goes on where garbage of any kind begins', () => {
    const { bytes, states } = journalOf([1, 2]);
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (garbage) => {
        expect(found(Buffer.concat([bytes, garbage]))).toEqual(states.at(-1));
      }),
    );
  });

  it('that asks for more memory than any model needs is refused', () => {
    const shape = { layers: 4096, kvHeads: 4096, headDim: 8, capacityTokens: 2 ** 26 };
    const { bytes } = headerRecord({ ...HEADER, shape });
    expect(() => scanJournal(bytes)).toThrow(expect.objectContaining({ code: 'stale-store' }) as Error);
  });

  it('of another version is refused, not taken for an empty one', () => {
    const of = (version: number): Uint8Array => headerRecord({ ...HEADER, version: version as 1 }).bytes;
    expect(() => scanJournal(of(0))).toThrow(/another version of Sluice/);
    expect(() => scanJournal(of(2))).toThrow(/has version 2, .*A newer Sluice wrote it/);
    expect(() => scanJournal(truncateRecord(0, new Uint8Array(32)).bytes)).toThrow(/another version/);
  });
});
