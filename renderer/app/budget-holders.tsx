import type { ReactNode } from 'react';

import type { BudgetState } from '../../core/contract';
import { formatBytes } from '../format';
import { strings } from '../strings';
import { Help } from '../ui';
import styles from './budget-widget.module.css';

const STRINGS = strings.app;

/** Who holds what of the budget, per model. */
export function BudgetHolders({ budget }: { readonly budget: BudgetState }): ReactNode {
  const words = STRINGS.budget;
  if (budget.holders.length === 0) return <p className={styles['explain']}>{words.nobody}</p>;
  return (
    <table className={styles['holders']}>
      <thead>
        <tr>
          <th scope="col">{words.model}</th>
          <th scope="col" data-kind="ring">
            <Help id="budget.ring">{words.ring}</Help>
          </th>
          <th scope="col" data-kind="resident">
            <Help id="budget.resident">{words.resident}</Help>
          </th>
          <th scope="col" data-kind="constants">
            <Help id="budget.constants">{words.constants}</Help>
          </th>
          <th scope="col">
            <Help id="budget.activations">{words.activations}</Help>
          </th>
        </tr>
      </thead>
      <tbody>
        {budget.holders.map((holder) => (
          <tr key={holder.model}>
            <th scope="row">
              <code>{holder.model}</code>
            </th>
            <td>{formatBytes(holder.ringBytes)}</td>
            <td>{formatBytes(holder.residentBytes)}</td>
            <td>{formatBytes(holder.constantBytes)}</td>
            <td>{formatBytes(holder.activationBytes)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
