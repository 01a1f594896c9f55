import { useState } from 'react';
import type { ReactNode } from 'react';

import type { LabRunRow } from '../../../../core/contract';
import { formatCount, NO_FIGURE } from '../../../format';
import { strings } from '../../../strings';
import { Help } from '../../../ui';
import type { HelpId } from '../../../ui';
import styles from './compare.module.css';
import type { Difference } from './differences';

const STRINGS = strings.lab.compare;

/** A whole tree of changed code is read on the command line. */
const MOST_LINES = 200;

interface DifferenceGroupProps {
  readonly title: string;
  readonly help: HelpId;
  readonly rows: readonly LabRunRow[];
  /** Undefined: not known, for which `note` says why. */
  readonly list: readonly Difference[] | undefined;
  readonly note?: string | undefined;
}

function Line({ what, values, rows }: Difference & { readonly rows: readonly LabRunRow[] }): ReactNode {
  return (
    <tr>
      <th scope="row" title={what}>
        {what}
      </th>
      {values.map((value, index) => (
        <td
          key={rows[index]?.runId}
          title={value}
          data-absent={value === undefined || value === STRINGS.unknown}
        >
          {value ?? NO_FIGURE}
        </td>
      ))}
    </tr>
  );
}

/** A kind of differences under a line of its own, which is all there is of it where the runs are alike. */
export function DifferenceGroup({ title, help, rows, list, note }: DifferenceGroupProps): ReactNode {
  const [isOpen, setIsOpen] = useState(true);
  const count = list?.length ?? 0;
  const left = count - MOST_LINES;
  return (
    <tbody data-testid="difference-group" data-count={list === undefined ? undefined : count}>
      <tr className={styles['group']}>
        <th colSpan={rows.length + 1} scope="rowgroup">
          <span>
            {count > 0 && (
              <button
                type="button"
                aria-expanded={isOpen}
                aria-label={STRINGS.fold(title)}
                onClick={() => setIsOpen(!isOpen)}
              >
                {isOpen ? '▾' : '▸'}
              </button>
            )}
            <Help id={help}>{title}</Help>
            <em>{list === undefined ? note : count === 0 ? STRINGS.alike : formatCount(count)}</em>
          </span>
        </th>
      </tr>
      {isOpen && list?.slice(0, MOST_LINES).map((one) => <Line key={one.what} {...one} rows={rows} />)}
      {isOpen && left > 0 && (
        <tr>
          <td colSpan={rows.length + 1} data-absent="true">
            {STRINGS.more(formatCount(left))}
          </td>
        </tr>
      )}
    </tbody>
  );
}
