import fc from 'fast-check';
import { expect, it } from 'vitest';

import { allocateNativeMemory } from '../../ort';
import { BLOCK_TOKENS } from '../full-cache';
import { CacheLayout } from '../store/cache-layout';
import { layerBodyBytes, LayerUnpacker, packLayer } from './layer-body';

const anyLayer = fc.record({
  kvHeads: fc.integer({ min: 1, max: 3 }),
  headDim: fc.constantFrom(8, 24, 64),
  blocks: fc.integer({ min: 1, max: 4 }),
  spareBlocks: fc.integer({ min: 0, max: 2 }),
  pieceBytes: fc.integer({ min: 100, max: 40_000 }),
  seed: fc.integer({ min: 1, max: 250 }),
});

it('arrives as it was sent, however it is cut, and a flipped bit is found in its block', () => {
  fc.assert(
    fc.property(anyLayer, fc.nat(), ({ kvHeads, headDim, blocks, spareBlocks, pieceBytes, seed }, bit) => {
      const layout = new CacheLayout({ layers: 1, kvHeads, headDim, capacityTokens: BLOCK_TOKENS });
      const dataBytes = layout.regions * blocks * layout.blockBytes;
      const sent = allocateNativeMemory(dataBytes);
      for (let at = 0; at < dataBytes; at += 1) sent.bytes[at] = (at * seed) >> 3;
      const body = packLayer(layout, blocks, sent);
      expect(body.byteLength).toBe(layerBodyBytes(layout, blocks));
      const capacity = (blocks + spareBlocks) * BLOCK_TOKENS;
      const target = {
        memory: allocateNativeMemory((dataBytes / blocks) * (blocks + spareBlocks)),
        capacity,
      };
      const receive = (bytes: Buffer): LayerUnpacker => {
        const unpacker = new LayerUnpacker(layout, blocks, target);
        for (let at = 0; at < bytes.byteLength; at += pieceBytes) {
          if (unpacker.isWhole || !unpacker.add(bytes.subarray(at, at + pieceBytes)))
            throw new Error(`${at}`);
        }
        return unpacker;
      };
      const whole = receive(body);
      expect(whole.isWhole).toBe(true);
      expect(whole.add(Buffer.alloc(1))).toBe(false);
      expect(whole.damagedBlock()).toBeUndefined();
      const regionBytes = blocks * layout.blockBytes;
      for (let region = 0; region < layout.regions; region += 1) {
        const start = region * (blocks + spareBlocks) * layout.blockBytes;
        const found = Buffer.from(target.memory.bytes.subarray(start, start + regionBytes));
        expect(found.equals(sent.bytes.subarray(region * regionBytes, (region + 1) * regionBytes))).toBe(
          true,
        );
      }
      const flipped = bit % (body.byteLength * 8);
      body[flipped >> 3]! ^= 1 << (flipped & 7);
      const sumBytes = body.byteLength - dataBytes;
      const chunk =
        flipped >> 3 < sumBytes
          ? Math.floor((flipped >> 3) / 8)
          : Math.floor(((flipped >> 3) - sumBytes) / layout.blockBytes);
      expect(receive(body).damagedBlock()).toBe(chunk % blocks);
    }),
    { numRuns: 30 },
  );
});
