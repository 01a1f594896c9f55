import { SluiceError } from '../../contract';
import type { LayerRows } from '../../llm';
import { BLOCK_TOKENS, type FullCache, type LayerRead } from '../full-cache';

/** A full cache in memory whose reads and writes take a turn of the event loop, or fail when told to. */
export class MemoryFullCache implements FullCache {
  blocks = 0;
  text: readonly number[] = [];
  /** Thrown by the next writes. */
  writeError: Error | undefined;
  /** Rejects the next reads. */
  readError: Error | undefined;
  /** Blocks from this one on can't be read, until they are truncated. */
  damagedFrom = Infinity;
  private readonly data = new Map<string, Float32Array>();

  constructor(private readonly kvHeads: number) {}

  read(layer: number, blocks: number, target: LayerRows): LayerRead {
    const read = { isDone: false, done: Promise.resolve() };
    const error = this.readError;
    read.done = turn().then(() => {
      if (error) throw error;
      if (blocks > this.damagedFrom) {
        throw new SluiceError('corrupt-store', 'a block is damaged', { layer, block: this.damagedFrom });
      }
      for (let block = 0; block < blocks; block += 1) {
        this.eachHead((kind, head) => {
          const rows = target.rows(kind, head, block * BLOCK_TOKENS, (block + 1) * BLOCK_TOKENS);
          rows.set(this.data.get(`${layer}/${block}/${kind}/${head}`)!);
        });
      }
      read.isDone = true;
    });
    return read;
  }

  async write(layer: number, from: number, to: number, source: LayerRows, row: number): Promise<void> {
    const error = this.writeError;
    await turn();
    if (error) throw error;
    for (let block = from; block < to; block += 1) {
      const start = row + (block - from) * BLOCK_TOKENS;
      this.eachHead((kind, head) => {
        const rows = source.rows(kind, head, start, start + BLOCK_TOKENS).slice();
        this.data.set(`${layer}/${block}/${kind}/${head}`, rows);
      });
    }
  }

  async commit(blocks: number, tokens: readonly number[]): Promise<void> {
    await turn();
    this.blocks = blocks;
    this.text = [...this.text, ...tokens];
    if (this.text.length !== blocks * BLOCK_TOKENS) throw new Error('tokens of other blocks');
  }

  async truncate(blocks: number): Promise<void> {
    if (blocks <= this.damagedFrom) this.damagedFrom = Infinity;
    this.blocks = Math.min(this.blocks, blocks);
    this.text = this.text.slice(0, this.blocks * BLOCK_TOKENS);
  }

  async close(): Promise<void> {
    await turn();
  }

  private eachHead(use: (kind: 0 | 1, head: number) => void): void {
    for (const kind of [0, 1] as const) {
      for (let head = 0; head < this.kvHeads; head += 1) use(kind, head);
    }
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
