import { createStore } from 'zustand/vanilla';
import type { StoreApi } from 'zustand/vanilla';

import type { BudgetState } from '../../core/contract';

export interface BudgetStoreState {
  /** Undefined until the engine first answered. */
  readonly budget?: BudgetState;
  readonly actions: { readonly setBudget: (budget: BudgetState) => void };
}

export type BudgetStore = StoreApi<BudgetStoreState>;

export function createBudgetStore(): BudgetStore {
  return createStore<BudgetStoreState>((set) => ({ actions: { setBudget: (budget) => set({ budget }) } }));
}

/** What the budget holds now, by purpose, over all models. Bytes. */
export interface BudgetUse {
  readonly ringBytes: number;
  readonly residentBytes: number;
  readonly constantBytes: number;
  readonly activationBytes: number;
  /** Parameter memory: what the limit counts (activations are shown, not counted). */
  readonly parameterBytes: number;
}

export function sumBudget(budget: BudgetState): BudgetUse {
  const sum = (pick: (holder: BudgetState['holders'][number]) => number): number =>
    budget.holders.reduce((total, holder) => total + pick(holder), 0);
  const ringBytes = sum((holder) => holder.ringBytes);
  const residentBytes = sum((holder) => holder.residentBytes);
  const constantBytes = sum((holder) => holder.constantBytes);
  return {
    ringBytes,
    residentBytes,
    constantBytes,
    activationBytes: sum((holder) => holder.activationBytes),
    parameterBytes: ringBytes + residentBytes + constantBytes,
  };
}
