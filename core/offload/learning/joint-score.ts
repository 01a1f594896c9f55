import type { SystemState } from '../scenario/system';

/**
 * Predicts the mean response time of a joint action and of its neighbours, cheaply. Users of equal state (see
 * `UserGroups`) may change places without changing it.
 */
export interface JointScore {
  /** Sets what the next calls start from. @param action [users], a choice each. @returns its predicted mean, ms. */
  begin(state: SystemState, action: Uint8Array): number;
  /** The predicted mean were one user's choice changed, ms; nothing changes. */
  probe(user: number, choice: number): number;
  /** Changes one user's choice. */
  apply(user: number, choice: number): void;
}
