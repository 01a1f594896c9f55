import { commonPrefix } from '../llm';
import type { Proposer } from './vericache-options';

/** A repetition must have begun with at least so many tokens. */
const SHORTEST_MATCH = 3;
const LONGEST_MATCH = 8;

/**
 * Proposes what followed the last time the latest tokens occurred (prompt lookup decoding, Saxena 2023; n-gram
 * speculation of vLLM). The longest match wins, of equals the latest.
 */
export function promptLookup(): Proposer {
  const index = new NgramIndex();
  return {
    name: 'prompt-lookup',
    propose(text, limit) {
      const at = index.find(text);
      return at === undefined ? [] : text.slice(at, at + limit);
    },
  };
}

/** Where each run of `SHORTEST_MATCH` tokens ended; follows a text that grows, and starts again when it changes. */
class NgramIndex {
  private readonly ends = new Map<string, number[]>();
  private indexed: number[] = [];

  /** @returns where what follows the match begins. */
  find(text: readonly number[]): number | undefined {
    this.follow(text);
    const candidates = this.ends.get(keyAt(text, text.length)) ?? [];
    let best: number | undefined;
    let bestLength = 0;
    for (
      let index = candidates.length - 1;
      index >= 0 && index >= candidates.length - MOST_CANDIDATES;
      index -= 1
    ) {
      const end = candidates[index]!;
      if (end >= text.length) continue;
      const length = matchLength(text, end);
      if (length <= bestLength) continue;
      best = end;
      bestLength = length;
      if (length >= LONGEST_MATCH) break;
    }
    return best;
  }

  private follow(text: readonly number[]): void {
    const same = commonPrefix(this.indexed, text);
    if (same < this.indexed.length) this.forgetFrom(same);
    for (let end = this.indexed.length + 1; end <= text.length; end += 1) {
      this.indexed.push(text[end - 1]!);
      if (end < SHORTEST_MATCH) continue;
      const key = keyAt(text, end);
      const ends = this.ends.get(key);
      if (ends) ends.push(end);
      else this.ends.set(key, [end]);
    }
  }

  private forgetFrom(length: number): void {
    for (let end = this.indexed.length; end > length; end -= 1) {
      if (end >= SHORTEST_MATCH) this.ends.get(keyAt(this.indexed, end))?.pop();
    }
    this.indexed = this.indexed.slice(0, length);
  }
}

/** Occurrences looked at; a text of one repeated word has thousands. */
const MOST_CANDIDATES = 64;

function keyAt(text: readonly number[], end: number): string {
  return text.slice(Math.max(0, end - SHORTEST_MATCH), end).join(',');
}

/** Tokens before `end` that equal the latest ones. */
function matchLength(text: readonly number[], end: number): number {
  let length = 0;
  while (
    length < LONGEST_MATCH &&
    length < end &&
    text[end - 1 - length] === text[text.length - 1 - length]
  ) {
    length += 1;
  }
  return length;
}
