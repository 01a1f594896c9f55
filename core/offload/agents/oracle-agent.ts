import { SluiceError } from '../../contract';
import type { ResponseModel } from '../environment/response-model';
import type { Constraints } from '../learning/constraints';
import { isAllowed } from '../learning/constraints';
import { ExactOracle } from '../oracle/exact-oracle';
import type { System, SystemState } from '../scenario/system';
import type { Agent } from './agent';

/** Knows the simulated truth and enumerates. A yardstick, not a product: there is no truth to read in a live system. */
export class OracleAgent implements Agent {
  readonly id = 'oracle';
  private readonly oracle: ExactOracle;
  private readonly responseMs: Float64Array;

  /** @param choices [choices], 1 for those it may make; default all. */
  constructor(
    readonly system: System,
    private readonly truth: ResponseModel,
    choices?: Uint8Array,
  ) {
    this.oracle = new ExactOracle(system, truth, choices);
    this.responseMs = new Float64Array(system.users);
  }

  /** @throws SluiceError `unsupported` when a user is barred from something: symmetry is what it enumerates by. */
  decide(state: SystemState, constraints: Constraints, action: Uint8Array): void {
    for (let user = 0; user < this.system.users; user += 1) {
      for (let choice = 0; choice < this.system.choices; choice += 1) {
        if (isAllowed(this.system, constraints, user, choice)) continue;
        throw new SluiceError('unsupported', 'The oracle decides without pins and with every endpoint up.');
      }
    }
    action.set(this.oracle.best(state, constraints.thresholdPct).action);
  }

  explore(state: SystemState, constraints: Constraints, action: Uint8Array): boolean {
    this.decide(state, constraints, action);
    return false;
  }

  learn(): void {
    // It knows already.
  }

  predictMs(state: SystemState, action: Uint8Array): number {
    return this.truth.evaluate(state, action, this.responseMs);
  }

  memory(): undefined {
    return undefined;
  }

  restore(): void {
    // Nothing was learned.
  }
}
