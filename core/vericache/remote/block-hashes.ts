import { createHash } from 'node:crypto';

import { BLOCK_TOKENS } from '../full-cache';
import type { CacheIdentity } from '../store/cache-identity';

const TOKEN_BYTES = 4;

/**
 * Names of the first blocks of a text, each by SHA-256 over the name before it and its own tokens; before the first stands
 * all that the bits depend on. Two texts share the name of a block only if they are the same up to its end, so nobody has
 * to be sent a text to be asked for it.
 */
export function blockHashes(identity: CacheIdentity, tokens: readonly number[], blocks: number): string[] {
  const { weights, runtime, instructionSet, precision } = identity;
  let last = sha256(Buffer.from(JSON.stringify([weights, runtime, instructionSet, precision])));
  return Array.from({ length: blocks }, (_, block) => {
    const bytes = Buffer.alloc(BLOCK_TOKENS * TOKEN_BYTES);
    for (let index = 0; index < BLOCK_TOKENS; index += 1) {
      bytes.writeUInt32LE(tokens[block * BLOCK_TOKENS + index]!, index * TOKEN_BYTES);
    }
    last = sha256(last, bytes);
    return last.toString('hex');
  });
}

function sha256(...parts: readonly Buffer[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
