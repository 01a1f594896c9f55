import type { ReactNode } from 'react';

import type { FleetBox } from '../../../core/contract';
import { formatCount } from '../../format';
import { strings } from '../../strings';
import { SegmentBar } from '../../ui';
import { budgetText, heldOf } from './box-budget';
import styles from './fleet-view.module.css';

const { fleet } = strings;

const WORDS = fleet.summary;

export interface FleetSums {
  readonly boxes: number;
  readonly online: number;
  /** Of boxes that are online and have a limit. */
  readonly budgetUsedBytes: number;
  readonly budgetLimitBytes: number;
  readonly unlimited: number;
  readonly alerts: number;
  readonly runsGoing: number;
}

export function sumFleet(boxes: readonly FleetBox[]): FleetSums {
  const told = boxes.flatMap(({ state, figures }) =>
    state === 'online' && figures !== undefined ? [figures] : [],
  );
  const limited = told.filter(({ budgetLimitBytes }) => budgetLimitBytes > 0);
  return {
    boxes: boxes.length,
    online: boxes.filter(({ state }) => state === 'online').length,
    budgetUsedBytes: limited.reduce((sum, { budgetUsedBytes }) => sum + budgetUsedBytes, 0),
    budgetLimitBytes: limited.reduce((sum, { budgetLimitBytes }) => sum + budgetLimitBytes, 0),
    unlimited: told.length - limited.length,
    alerts: told.reduce((sum, { alerts }) => sum + alerts.length, 0),
    runsGoing: told.reduce((sum, { runsGoing }) => sum + runsGoing, 0),
  };
}

/** The fleet in one line. */
export function FleetSummary({ boxes }: { readonly boxes: readonly FleetBox[] }): ReactNode {
  const sums = sumFleet(boxes);
  return (
    <p className={styles['summary']} aria-label={WORDS.label} data-testid="fleet-summary">
      <b data-help="fleet.online">{WORDS.online(formatCount(sums.online), formatCount(sums.boxes))}</b>
      {sums.budgetLimitBytes > 0 && (
        <span className={styles['sum']} data-help="fleet.budget">
          {WORDS.budget}
          <SegmentBar
            className={styles['sumBar']}
            parts={[{ kind: 'resident', name: WORDS.budget, bytes: sums.budgetUsedBytes }]}
            wholeBytes={sums.budgetLimitBytes}
            label={budgetText(sums)}
          />
          <b>{heldOf(sums.budgetUsedBytes, sums.budgetLimitBytes)}</b>
        </span>
      )}
      {sums.unlimited > 0 && <span>{WORDS.unlimited(formatCount(sums.unlimited))}</span>}
      <span data-help="fleet.runs">{WORDS.runs(sums.runsGoing)}</span>
      <span data-help="fleet.alerts" data-alerts={sums.alerts > 0}>
        {sums.alerts === 0 ? WORDS.noAlerts : WORDS.alerts(sums.alerts)}
      </span>
    </p>
  );
}
