import type { ReactNode } from 'react';

import type { LabRunRow } from '../../../../core/contract';
import { NO_FIGURE } from '../../../format';
import { strings } from '../../../strings';
import { runToken } from '../charts';
import styles from './compare.module.css';
import { differences } from './differences';

const STRINGS = strings.lab.compare;

/** Only what differs: a line for each thing, a column for each run. */
export function DifferencesTable({ rows }: { readonly rows: readonly LabRunRow[] }): ReactNode {
  const list = differences(rows);
  if (list.length === 0) return <p className={styles['none']}>{STRINGS.same}</p>;
  return (
    <div className={styles['scroll']} role="region" aria-label={STRINGS.differences} tabIndex={0}>
      <table className={styles['differences']} data-testid="differences">
        <thead>
          <tr>
            <th scope="col">{STRINGS.what}</th>
            {rows.map(({ runId, name }, index) => (
              <th key={runId} scope="col" title={name}>
                <i aria-hidden="true" style={{ background: `var(${runToken(index)})` }} />
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {list.map(({ what, values }) => (
            <tr key={what}>
              <th scope="row" title={what}>
                {what}
              </th>
              {values.map((value, index) => (
                <td key={rows[index]?.runId} title={value} data-absent={value === undefined}>
                  {value ?? NO_FIGURE}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
