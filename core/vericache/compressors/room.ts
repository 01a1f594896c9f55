import { BLOCK_TOKENS } from '../full-cache';
import { MAX_ROUND_TOKENS } from '../memory-plan';

/** Tokens that come behind the kept ones before a cache that drops is compressed again. */
export const ROOM_TOKENS = 2 * BLOCK_TOKENS + MAX_ROUND_TOKENS;

/**
 * What a cache that keeps all tokens holds beyond the longest text: a round, and two more that a round asks room for
 * ahead.
 */
export const END_TOKENS = 3 * MAX_ROUND_TOKENS;
