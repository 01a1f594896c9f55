import type { CacheMap, CacheMemory } from '../contract';
import { wholeSteps, type Attention, type Decoder, type HeadShape } from '../llm';
import type { OrtEnvironment } from '../ort';
import type { CompressedCache } from './compressor';
import { BLOCK_TOKENS, type FullCache } from './full-cache';
import { MAX_ROUND_TOKENS, planMemory, type MemoryPlan } from './memory-plan';
import { receivedBytes } from './received';
import { SwappedCache } from './swapped-cache';
import type { CacheSettings } from './vericache-options';

export interface CacheSetParts {
  readonly environment: OrtEnvironment;
  readonly decoder: Decoder;
  readonly fullCache: FullCache;
  readonly nowMs: () => number;
}

/** The full cache as it streams, the compressed one, and the budget they share. */
export class CacheSet {
  private constructor(
    readonly swapped: SwappedCache,
    readonly compressed: CompressedCache | undefined,
    readonly settings: CacheSettings,
    private readonly plan: MemoryPlan,
    private readonly fullCache: FullCache,
    private readonly decoder: Decoder,
  ) {}

  /** @throws SluiceError `budget-too-small` before anything is allocated, `bad-input` (ratio). */
  static create(
    { environment, decoder, fullCache, nowMs }: CacheSetParts,
    settings: CacheSettings,
  ): CacheSet {
    const { attention, config } = decoder;
    const { compression } = settings;
    const plan = planCaches(decoder, settings);
    const { layers } = config;
    const observes = compression?.compressor.observes ?? 'nothing';
    const compressed = compression?.compressor.createCache({
      ...demandOf(decoder, settings),
      environment,
      attention,
    });
    const swapped = new SwappedCache({ environment, attention, layers, plan, fullCache, observes, nowMs });
    return new CacheSet(swapped, compressed, settings, plan, fullCache, decoder);
  }

  /** As allocated. */
  memory(): CacheMemory {
    const { swapped, compressed, plan } = this;
    const residents = plan.resident.filter((stays) => stays).length;
    const slotBytes = swapped.slots.byteLength / (residents + plan.ringSlots);
    return {
      budgetBytes: plan.budgetBytes,
      compressedBytes: compressed?.byteLength ?? 0,
      residentBytes: residents * slotBytes,
      streamBytes: swapped.byteLength - residents * slotBytes,
      storedBytes:
        this.fullCache.blocks * BLOCK_TOKENS * bytesPerToken(this.decoder.attention) * plan.resident.length,
    };
  }

  map(): CacheMap {
    const { swapped, compressed, plan } = this;
    const { position, storedTokens } = swapped;
    return {
      tokens: position,
      kept: plan.resident.map((_, layer) => compressed?.keptTokens(layer) ?? 0),
      inMemory: plan.resident.map((stays) => (stays ? position : position - storedTokens)),
      onDisk: plan.resident.map(() => storedTokens),
    };
  }

  async close(): Promise<void> {
    await this.swapped.close();
    this.compressed?.release();
  }
}

/** @throws SluiceError `budget-too-small` naming the least budget that works, `bad-input` (ratio). */
export function planCaches(decoder: Decoder, settings: CacheSettings): MemoryPlan {
  const { compression, budgetBytes, maxTokens } = settings;
  const demand = demandOf(decoder, settings);
  const { kvHeads } = demand.shape;
  const slotRows = wholeSteps(maxTokens + MAX_ROUND_TOKENS);
  return planMemory({
    ...demand,
    budgetBytes,
    compressedBytes: compression?.compressor.cacheBytes(demand) ?? 0,
    observedBytes: receivedBytes(
      compression?.compressor.observes ?? 'nothing',
      kvHeads,
      demand.layers,
      slotRows,
    ),
  });
}

interface CacheDemand {
  readonly shape: HeadShape;
  readonly layers: number;
  readonly maxTokens: number;
  readonly ratio: number;
}

function demandOf({ config }: Decoder, { compression, maxTokens }: CacheSettings): CacheDemand {
  const { heads, kvHeads, headDim, layers } = config;
  return { shape: { heads, kvHeads, headDim }, layers, maxTokens, ratio: compression?.ratio ?? 1 };
}

const FLOAT_BYTES = 4;

/** Of one layer. */
function bytesPerToken({ shape }: Attention): number {
  return 2 * shape.kvHeads * shape.headDim * FLOAT_BYTES;
}
