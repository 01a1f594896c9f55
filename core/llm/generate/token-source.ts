import type { TokenOrigin } from '../../contract';

export interface DecodedToken {
  readonly token: number;
  readonly origin: TokenOrigin;
}

export interface PrefillOptions {
  readonly signal?: AbortSignal;
  /** Tokens of the prompt in the cache by now. */
  readonly onProgress?: (doneTokens: number) => void;
}

/** Where the tokens of a reply come from: one by one over some cache, or in rounds. */
export interface TokenSource {
  /**
   * Takes in a prompt. What the cache holds of its beginning is not computed again.
   * @returns tokens that were there. @throws SluiceError `cancelled`, `runtime`, what the cache throws.
   */
  prefill(prompt: readonly number[], options?: PrefillOptions): Promise<number>;
  /** The next tokens of the text, 1 to `limit`. @throws as `prefill`. */
  next(limit: number, signal?: AbortSignal): Promise<readonly DecodedToken[]>;
}

/** Tokens at the beginning that two texts share. */
export function commonPrefix(a: readonly number[], b: readonly number[]): number {
  const end = Math.min(a.length, b.length);
  let length = 0;
  while (length < end && a[length] === b[length]) length += 1;
  return length;
}
