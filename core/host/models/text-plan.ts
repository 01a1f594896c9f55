import { formatBytes } from '../../base';
import { SluiceError } from '../../contract';
import type { CurvePoint, MemoryDelayCurve, PlanDetail } from '../../contract';

export interface BudgetMember {
  readonly name: string;
  readonly weightBytes: number;
  readonly minimumBytes: number;
}

/** Points of a combined curve. */
const CURVE_POINTS = 48;

/**
 * Splits a budget between networks that are loaded together: in proportion to their weights, each at least its
 * minimum.
 * @returns bytes for each member, adding up to the budget.
 * @throws SluiceError `budget-too-small` naming what each needs.
 */
export function shareBudget(
  pipeline: string,
  budgetBytes: number,
  members: readonly BudgetMember[],
): number[] {
  const minimumBytes = total(members.map((member) => member.minimumBytes));
  if (budgetBytes < minimumBytes) {
    const needs = members.map(({ name, minimumBytes: least }) => `${name} ${formatBytes(least)}`).join(', ');
    throw new SluiceError(
      'budget-too-small',
      `${pipeline} needs at least ${minimumBytes} bytes (${formatBytes(minimumBytes)}: ${needs}); ` +
        `the budget is ${budgetBytes} bytes. Raise it to the minimum.`,
      { minimumBytes, budgetBytes },
    );
  }
  const shares = new Map<BudgetMember, number>();
  let open = [...members];
  let left = budgetBytes;
  // Members whose proportion is under their minimum get the minimum; the others share what is left.
  for (;;) {
    const weight = total(open.map((member) => member.weightBytes));
    const proportion = (member: BudgetMember): number =>
      weight === 0 ? left / open.length : (left * member.weightBytes) / weight;
    const short = open.filter((member) => proportion(member) < member.minimumBytes);
    if (short.length === 0) {
      for (const member of open) shares.set(member, Math.floor(proportion(member)));
      return members.map((member) => shares.get(member) ?? 0);
    }
    for (const member of short) {
      shares.set(member, member.minimumBytes);
      left -= member.minimumBytes;
    }
    open = open.filter((member) => !short.includes(member));
  }
}

/**
 * One plan of detector and recognizer together. Latency is of one image: one detection and `regions` recognitions.
 */
export function combinePlans(plans: readonly PlanDetail[], regions: number): PlanDetail {
  const [first] = plans;
  if (!first) throw new SluiceError('internal', 'combinePlans: expected a plan of each network, found none.');
  const runs = (index: number): number => (index === 0 ? 1 : regions);
  const sum = (pick: (plan: PlanDetail) => number): number => total(plans.map(pick));
  return {
    ...first,
    budgetBytes: sum((plan) => plan.budgetBytes),
    parameterMemoryBytes: sum((plan) => plan.parameterMemoryBytes),
    ringBytes: sum((plan) => plan.ringBytes),
    residentBytes: sum((plan) => plan.residentBytes),
    constantBytes: sum((plan) => plan.constantBytes),
    streamedBytesPerRun: total(plans.map((plan, index) => plan.streamedBytesPerRun * runs(index))),
    segments: sum((plan) => plan.segments),
    predictedMs: total(plans.map((plan, index) => plan.predictedMs * runs(index))),
    placement: plans.flatMap((plan) => plan.placement),
  };
}

/** The curve of detector and recognizer under a shared budget, for images of `regions` text regions. */
export function combineCurves(
  curves: readonly MemoryDelayCurve[],
  weightBytes: readonly number[],
  regions: number,
): MemoryDelayCurve {
  const [first] = curves;
  if (!first)
    throw new SluiceError('internal', 'combineCurves: expected a curve of each network, found none.');
  const sum = (pick: (curve: MemoryDelayCurve, index: number) => number): number => total(curves.map(pick));
  const perImage = (pick: (curve: MemoryDelayCurve) => number): number =>
    sum((curve, index) => pick(curve) * (index === 0 ? 1 : regions));
  const members = curves.map((curve, index) => ({
    name: curve.model,
    weightBytes: weightBytes[index] ?? 0,
    minimumBytes: curve.minimumBytes,
  }));
  const minimumBytes = sum((curve) => curve.minimumBytes);
  const totalBytes = sum((curve) => curve.totalBytes);
  const points = Array.from({ length: CURVE_POINTS }, (_, step): CurvePoint => {
    const budgetBytes = Math.round(minimumBytes + ((totalBytes - minimumBytes) * step) / (CURVE_POINTS - 1));
    const shares = shareBudget(first.model, Math.max(budgetBytes, minimumBytes), members);
    return combinePoints(
      budgetBytes,
      curves.map((curve, index) => pointAt(curve, shares[index] ?? 0)),
      regions,
    );
  });
  return {
    ...first,
    minimumBytes,
    totalBytes,
    residentMs: perImage((curve) => curve.residentMs),
    readLimitMs: perImage((curve) => curve.readLimitMs),
    points,
    measured: [],
  };
}

/** The best the planner found for at most `bytes`. */
function pointAt(curve: MemoryDelayCurve, bytes: number): CurvePoint {
  const within = curve.points.filter((point) => point.budgetBytes <= bytes);
  const point = within.at(-1) ?? curve.points[0];
  if (!point) throw new SluiceError('internal', `The curve of ${curve.model} has no points.`);
  return point;
}

function combinePoints(budgetBytes: number, points: readonly CurvePoint[], regions: number): CurvePoint {
  const sum = (pick: (point: CurvePoint) => number): number => total(points.map(pick));
  return {
    budgetBytes,
    predictedMs: total(points.map((point, index) => point.predictedMs * (index === 0 ? 1 : regions))),
    ringBytes: sum((point) => point.ringBytes),
    residentBytes: sum((point) => point.residentBytes),
    residentLayers: sum((point) => point.residentLayers),
  };
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
