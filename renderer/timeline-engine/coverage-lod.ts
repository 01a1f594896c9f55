/**
 * How much of each time bucket a row's spans cover, for bucket widths that double from level to level, so that a
 * picture of any zoom reads about one bucket a pixel instead of every span.
 */
export interface CoverageLod {
  /** Start of bucket 0 of every level, µs. */
  readonly originUs: number;
  /** Bucket width of level 0, µs: a power of two. Level k: `baseUs * 2^k`. */
  readonly baseUs: number;
  /** Covered µs per bucket. */
  readonly levels: readonly Float32Array[];
}

/** Built once for a row of non-overlapping spans; level 0 has about two buckets a span. */
export function buildCoverage(start: Float64Array, end: Float64Array): CoverageLod {
  const count = start.length;
  const originUs = count > 0 ? start[0]! : 0;
  const extentUs = count > 0 ? Math.max(end[count - 1]! - originUs, 1e-3) : 1;
  const baseUs = 2 ** Math.ceil(Math.log2(extentUs / Math.max(1, 2 * count)));
  const base = new Float32Array(Math.floor(extentUs / baseUs) + 1);
  for (let i = 0; i < count; i += 1)
    addSpan(base, (start[i]! - originUs) / baseUs, (end[i]! - originUs) / baseUs, baseUs);
  const levels = [base];
  for (let below = base; below.length > 1;) {
    const above = new Float32Array((below.length + 1) >>> 1);
    for (let i = 0; i < below.length; i += 1) above[i >>> 1]! += below[i]!;
    levels.push(above);
    below = above;
  }
  return { originUs, baseUs, levels };
}

function addSpan(base: Float32Array, from: number, to: number, baseUs: number): void {
  const firstBucket = Math.floor(from);
  const lastBucket = Math.min(base.length - 1, Math.floor(to));
  for (let bucket = firstBucket; bucket <= lastBucket; bucket += 1) {
    base[bucket]! += (Math.min(to, bucket + 1) - Math.max(from, bucket)) * baseUs;
  }
}

/** The coarsest level whose buckets are no wider than `pxUs`; -1 when even level 0 is too coarse. */
export function levelFor(lod: CoverageLod, pxUs: number): number {
  const level = Math.floor(Math.log2(pxUs / lod.baseUs) + 1e-9);
  return Math.min(level, lod.levels.length - 1);
}

/**
 * Covered share, 0..1, of each of `columns.length` adjacent stretches of `pxUs` from `fromUs`, read from one level.
 * Buckets belong to the stretch their start lies in, so an edge is exact to one bucket.
 */
export function readCoverage(
  lod: CoverageLod,
  level: number,
  fromUs: number,
  pxUs: number,
  columns: Float32Array,
): void {
  const bucketUs = lod.baseUs * 2 ** level;
  const buckets = lod.levels[level]!;
  let bucket = Math.max(0, Math.ceil((fromUs - lod.originUs) / bucketUs));
  for (let column = 0; column < columns.length; column += 1) {
    const end = Math.min(buckets.length, Math.ceil((fromUs + (column + 1) * pxUs - lod.originUs) / bucketUs));
    let covered = 0;
    for (; bucket < end; bucket += 1) covered += buckets[bucket]!;
    columns[column] = Math.min(1, covered / pxUs);
  }
}
