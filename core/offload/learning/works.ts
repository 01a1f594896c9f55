import type { System } from '../scenario/system';

/** Of a logarithm in one fit: products are fitted as if linear, which holds for small steps. */
const MOST_STEP = 0.3;
const MOST_LOG = 2;

/**
 * How much work a variant is: its MMACs times a factor for its precision, if that is int8, and one of its own. The
 * factors' logarithms are learned.
 */
export class Works {
  /** [unknowns]: of int8, then of each variant. */
  readonly logs: Float64Array;
  /** [variants], in MMACs of an fp32 network. */
  readonly values: Float64Array;
  private readonly isInt8: readonly boolean[];

  constructor(private readonly system: System) {
    this.logs = new Float64Array(1 + system.variants.length);
    this.values = new Float64Array(system.variants.length);
    this.isInt8 = system.variants.map(({ precision }) => precision === 'int8');
    this.refresh();
  }

  get unknowns(): number {
    return this.logs.length;
  }

  of(variant: number): number {
    return this.values[variant]!;
  }

  /** Adds to a row, from `at` on, the derivatives by `logs` of a time of `paceMs` times the variant's work. */
  addSlope(row: Float64Array, at: number, variant: number, paceMs: number): void {
    const slopeMs = this.values[variant]! * paceMs;
    if (this.isInt8[variant]!) row[at]! += slopeMs;
    row[at + 1 + variant]! += slopeMs;
  }

  /** Moves the logarithms to where a fit has them, as far as it holds. */
  moveTo(fitted: Float64Array): void {
    this.logs.forEach((own, index) => {
      const step = Math.max(-MOST_STEP, Math.min(MOST_STEP, fitted[index]! - own));
      this.logs[index] = Math.max(-MOST_LOG, Math.min(MOST_LOG, own + step));
    });
    this.refresh();
  }

  assign(logs: ArrayLike<number>): void {
    this.logs.set(logs);
    this.refresh();
  }

  private refresh(): void {
    this.system.variants.forEach(({ mMacs }, variant) => {
      const int8 = this.isInt8[variant]! ? this.logs[0]! : 0;
      this.values[variant] = mMacs * Math.exp(int8 + this.logs[1 + variant]!);
    });
  }
}
