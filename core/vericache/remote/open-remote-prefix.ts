import { SluiceError } from '../../contract';
import { BLOCK_TOKENS } from '../full-cache';
import type { CacheIdentity } from '../store/cache-identity';
import type { DiskCache } from '../store/disk-cache';
import { blockHashes } from './block-hashes';
import { refuseOtherIdentity } from './identity';
import type { KvNode, KvNodeOptions, RemotePrefix } from './kv-node';
import { RemoteFullCache } from './remote-cache';

export interface RemotePrefixRequest {
  readonly node: KvNodeOptions;
  /** The model's name there. */
  readonly model: string;
  /** Of the caches that this process computes. */
  readonly identity: CacheIdentity;
  /** The text that is to be continued. */
  readonly tokens: readonly number[];
  /**
   * For what follows the node's blocks; empty. Because it begins in the middle of a text, nobody may open it later as a
   * cache of its own: give it a folder, or an identity, that no conversation has.
   */
  readonly local: DiskCache;
  /** `find`: only names of blocks are sent, and what the node has is used; `prefill`: it computes the rest. */
  readonly missing: 'find' | 'prefill';
  readonly signal?: AbortSignal;
}

export interface OpenRemotePrefix {
  readonly cache: RemoteFullCache;
  /** The text of the blocks found. */
  readonly storedText: readonly number[];
}

/**
 * Looks for the beginning of a text on a node.
 * @throws SluiceError `unauthorized`, `not-found` (the model), `stale-store` or `conflict` (its values would not be those
 * of this process), `unavailable`, `timeout`, `cancelled`, `bad-input`. The local cache is left open then.
 */
export async function openRemotePrefix(request: RemotePrefixRequest): Promise<OpenRemotePrefix> {
  const { tokens, local, identity } = request;
  if (local.blocks > 0) {
    throw new SluiceError('internal', 'The cache behind a remote prefix has to be empty when it is opened.');
  }
  // Its HTTP library is loaded by whoever has a node.
  const { KvNode: Node } = await import('./kv-node');
  const node = new Node(request.node);
  try {
    // The last token goes through again for its logits.
    const blocks = Math.max(0, Math.floor((tokens.length - 1) / BLOCK_TOKENS));
    const prefix = blocks === 0 ? undefined : await prefixOf(node, request, blocks);
    if (prefix) refuseOtherIdentity(node.name, prefix.identity, identity);
    const found = Math.min(prefix?.blocks ?? 0, blocks);
    const cache = new RemoteFullCache(node, { id: prefix?.id ?? '', blocks: found }, local);
    return { cache, storedText: tokens.slice(0, found * BLOCK_TOKENS) };
  } catch (thrown) {
    await node.close();
    throw thrown;
  }
}

async function prefixOf(
  node: KvNode,
  { model, identity, tokens, missing, signal }: RemotePrefixRequest,
  blocks: number,
): Promise<RemotePrefix | undefined> {
  const found = await node.find(blockHashes(identity, tokens, blocks), signal);
  if (missing === 'find' || (found && found.blocks >= blocks)) return found;
  return node.prefill({ model, identity, tokens: tokens.slice(0, blocks * BLOCK_TOKENS) }, signal);
}
