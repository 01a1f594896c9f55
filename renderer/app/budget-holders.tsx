import type { ReactNode } from 'react';

import type { BudgetState } from '../../core/contract';
import { formatBytes } from '../format';
import { strings } from '../strings';
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
            {words.ring}
          </th>
          <th scope="col" data-kind="resident">
            {words.resident}
          </th>
          <th scope="col" data-kind="constants">
            {words.constants}
          </th>
          <th scope="col">{words.activations}</th>
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
