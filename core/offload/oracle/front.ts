/** A way to serve some users: total response time against accuracy given up, with what it takes. */
export interface FrontPoint<Plan> {
  /** Sum over users of the most accurate variant's accuracy less theirs, in percentage points. */
  readonly deficitPct: number;
  readonly totalMs: number;
  readonly plan: Plan;
}

/** Pareto-optimal points by rising deficit and falling time. */
export type Front<Plan> = readonly FrontPoint<Plan>[];

/** Keeps what no other point beats in both deficit and time. */
export function paretoFront<Plan>(points: readonly FrontPoint<Plan>[]): Front<Plan> {
  const sorted = [...points].sort((a, b) => a.deficitPct - b.deficitPct || a.totalMs - b.totalMs);
  const front: FrontPoint<Plan>[] = [];
  let bestMs = Infinity;
  for (const point of sorted) {
    if (point.totalMs >= bestMs) continue;
    front.push(point);
    bestMs = point.totalMs;
  }
  return front;
}

/** Every pair of two independent fronts, Pareto-optimal ones kept. */
export function combineFronts<A, B, Plan>(a: Front<A>, b: Front<B>, join: (a: A, b: B) => Plan): Front<Plan> {
  const pairs = a.flatMap((first) =>
    b.map((second) => ({
      deficitPct: first.deficitPct + second.deficitPct,
      totalMs: first.totalMs + second.totalMs,
      plan: [first.plan, second.plan] as const,
    })),
  );
  return paretoFront(pairs).map(({ plan, ...point }) => ({ ...point, plan: join(...plan) }));
}

/** The fastest pair within a deficit; undefined when there is none. */
export function fastestPair<A, B>(
  a: Front<A>,
  b: Front<B>,
  deficitPct: number,
): { readonly totalMs: number; readonly a: A; readonly b: B } | undefined {
  let at = b.length - 1;
  let best: { readonly totalMs: number; readonly a: A; readonly b: B } | undefined;
  for (const first of a) {
    while (at >= 0 && first.deficitPct + b[at]!.deficitPct > deficitPct) at -= 1;
    if (at < 0) break;
    const totalMs = first.totalMs + b[at]!.totalMs;
    if (best === undefined || totalMs < best.totalMs) best = { totalMs, a: first.plan, b: b[at]!.plan };
  }
  return best;
}

/** Calls `visit` with every non-decreasing sequence of `length` numbers below `kinds`; the array is reused. */
export function multisets(kinds: number, length: number, visit: (members: Uint8Array) => void): void {
  const members = new Uint8Array(length);
  const fill = (at: number, from: number): void => {
    if (at === length) {
      visit(members);
      return;
    }
    for (let kind = from; kind < kinds; kind += 1) {
      members[at] = kind;
      fill(at + 1, kind);
    }
  };
  fill(0, 0);
}
