import { BLOCK_TOKENS } from '../full-cache';

/** Tokens a draft may put into a compressed cache before it is cut back. */
export const DRAFT_TOKENS = 64;

/** Tokens that come behind the kept ones before a cache that drops is compressed again. */
export const ROOM_TOKENS = 2 * BLOCK_TOKENS + DRAFT_TOKENS;
