import { SluiceError } from '../../contract';
import type { LayerRows } from '../../llm';
import { BLOCK_TOKENS, type FullCache, type LayerRead } from '../full-cache';
import type { CacheRows } from '../store/cache-layout';
import type { DiskCache } from '../store/disk-cache';
import type { KvNode, RemotePrefix } from './kv-node';
import { LayerUnpacker } from './layer-body';

/**
 * A full cache whose first blocks are on another node and come over the network each time; what follows them is on disk
 * here. When the node is gone, too slow, or sends damage, reads fail with `unavailable` naming the first block that is
 * lost; after `truncate` to it everything that comes is kept here. Both caches are closed with it.
 *
 * The one on disk begins in the middle of the text: it must be opened as the beginning of no other (see
 * `openRemotePrefix`).
 */
export class RemoteFullCache implements FullCache {
  /** Blocks that are read from the node. */
  private remoteBlocks: number;
  /** Why the node is not asked any more. */
  private lost: SluiceError | undefined;

  /** @param local empty; its layout is the layers' that travel. */
  constructor(
    private readonly node: KvNode,
    private readonly prefix: Pick<RemotePrefix, 'id' | 'blocks'>,
    private readonly local: DiskCache,
  ) {
    this.remoteBlocks = prefix.blocks;
  }

  get blocks(): number {
    return this.remoteBlocks + this.local.blocks;
  }

  /** Blocks that are on the node, and 0 once they were lost. */
  get blocksOnNode(): number {
    return this.remoteBlocks;
  }

  read(layer: number, blocks: number, target: LayerRows): LayerRead {
    const remoteBlocks = Math.min(blocks, this.remoteBlocks);
    const local = this.local.read(layer, blocks - remoteBlocks, behind(target, remoteBlocks, this.rowBytes));
    if (remoteBlocks === 0) return local;
    let isRemoteDone = false;
    const remote = this.fetch(layer, remoteBlocks, target).then(() => {
      isRemoteDone = true;
    });
    return {
      get isDone() {
        return isRemoteDone && local.isDone;
      },
      done: both(remote, local.done, remoteBlocks),
    };
  }

  write(layer: number, from: number, to: number, source: LayerRows, row: number): Promise<void> {
    const { remoteBlocks } = this;
    return this.local.write(layer, from - remoteBlocks, to - remoteBlocks, source, row);
  }

  commit(blocks: number, tokens: readonly number[]): Promise<void> {
    return this.local.commit(blocks - this.remoteBlocks, tokens);
  }

  /** Blocks on the node are not asked for again; it keeps them for others. */
  async truncate(blocks: number): Promise<void> {
    await this.local.truncate(Math.max(0, blocks - this.remoteBlocks));
    this.remoteBlocks = Math.min(blocks, this.remoteBlocks);
  }

  /** Reads from the node that are under way fail at once, and so do later ones. */
  async giveUp(): Promise<void> {
    await this.node.close();
  }

  async close(): Promise<void> {
    await this.giveUp();
    await this.local.close();
  }

  private get rowBytes(): number {
    return this.local.layout.blockBytes / BLOCK_TOKENS;
  }

  private async fetch(layer: number, blocks: number, target: LayerRows): Promise<void> {
    if (this.lost) throw this.lost;
    const unpacker = new LayerUnpacker(this.local.layout, blocks, target);
    try {
      await this.node.layer(this.prefix.id, layer, blocks, (piece) => unpacker.add(piece));
    } catch (thrown) {
      this.lost ??= lostNode(SluiceError.from(thrown), this.prefix.blocks);
      await this.giveUp();
      throw this.lost;
    }
    if (!unpacker.isWhole) throw this.damage(layer, 0, 'is shorter than it has to be');
    const block = unpacker.damagedBlock();
    if (block !== undefined) throw this.damage(layer, block, 'is not what was sent: its checksum differs');
  }

  /** The node goes on being asked for what comes before. */
  private damage(layer: number, block: number, what: string): SluiceError {
    return new SluiceError(
      'unavailable',
      `Block ${block} of layer ${layer} from ${this.node.name} ${what}. ` +
        `Tokens from ${block * BLOCK_TOKENS} on are computed here.`,
      { layer, block },
    );
  }
}

function lostNode(cause: SluiceError, blocks: number): SluiceError {
  const message = `${cause.message} The ${blocks * BLOCK_TOKENS} tokens that were kept there are computed here.`;
  return new SluiceError('unavailable', message, { block: 0 }, { cause });
}

/** The rows of a layer behind the first blocks, for a cache that begins there. */
function behind({ memory, capacity }: LayerRows, blocks: number, rowBytes: number): CacheRows {
  const byteOffset = memory.byteOffset + blocks * BLOCK_TOKENS * rowBytes;
  return { memory: { ...memory, byteOffset }, capacity };
}

/** Settles once nothing touches the memory any more. The node's failure is told first: it loses the earlier blocks. */
async function both(remote: Promise<void>, local: Promise<void>, remoteBlocks: number): Promise<void> {
  const [fromNode, fromDisk] = await Promise.allSettled([remote, local]);
  if (fromNode.status === 'rejected') throw fromNode.reason;
  if (fromDisk.status === 'rejected') throw atItsPlace(fromDisk.reason, remoteBlocks);
}

/** The disk counts its blocks from the first that is not on the node. */
function atItsPlace(reason: unknown, remoteBlocks: number): unknown {
  if (!(reason instanceof SluiceError) || typeof reason.details['block'] !== 'number') return reason;
  const details = { ...reason.details, block: reason.details['block'] + remoteBlocks };
  return new SluiceError(reason.code, reason.message, details, { cause: reason });
}
