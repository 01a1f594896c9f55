import { useCallback, useMemo, useState } from 'react';
import type { KeyboardEvent, ReactNode } from 'react';
import { useStore } from 'zustand';

import { TIER_NAMES } from '../../../core/contract';
import type { Belief, OffloadState, TierName, VariantRecord } from '../../../core/contract';
import { formatPct } from '../../format';
import { useSession } from '../../session';
import { strings } from '../../strings';
import styles from './choice-matrix.module.css';
import { togglePin } from './decision-actions';
import { gridKey, gridOf, presentChoices } from './matrix-model';
import type { BeliefGrid, PresentChoice } from './matrix-model';
import { MatrixRow } from './matrix-row';
import { PresentTable } from './present-table';

const STRINGS = strings.decisions;

const WORDS = STRINGS.matrix;

const CELL = '[data-testid="choice-cell"]';

/** The cell an arrow key leads to from another: sideways through all tiers, up and down through the users. */
function neighbour(root: Element, from: HTMLElement, key: string): HTMLElement | undefined {
  const { user, tier, variant } = from.dataset;
  const all = [...root.querySelectorAll<HTMLElement>(CELL)];
  const sideways = { ArrowLeft: -1, ArrowRight: 1 }[key];
  if (sideways !== undefined) {
    const row = all.filter(({ dataset }) => dataset['user'] === user);
    return row[row.indexOf(from) + sideways];
  }
  const upDown = { ArrowUp: -1, ArrowDown: 1 }[key];
  if (upDown === undefined) return undefined;
  return all.find(
    ({ dataset }) =>
      dataset['user'] === String(Number(user) + upDown) &&
      dataset['tier'] === tier &&
      dataset['variant'] === variant,
  );
}

function onArrow(event: KeyboardEvent<HTMLElement>): void {
  const from = event.target instanceof HTMLElement ? event.target.closest<HTMLElement>(CELL) : null;
  const target = from && neighbour(event.currentTarget, from, event.key);
  if (!target) return;
  event.preventDefault();
  target.focus();
}

function VariantHeads({ variants }: { readonly variants: readonly VariantRecord[] }): ReactNode {
  return variants.map(({ id, title, accuracyPct, source }) => (
    <th
      key={id}
      scope="col"
      title={WORDS.accuracyHint(title, formatPct(accuracyPct, 1), source)}
      className={styles['variant']}
    >
      {id}
      <small>{formatPct(accuracyPct, 1)}</small>
    </th>
  ));
}

interface TierTableProps {
  readonly tier: TierName;
  readonly deployment: OffloadState;
  readonly grid: BeliefGrid;
  readonly present: readonly PresentChoice[];
  readonly tabStop: string;
  readonly onFocusCell: (cell: string) => void;
}

const NO_BELIEFS: readonly (Belief | undefined)[] = [];

function TierTable(props: TierTableProps): ReactNode {
  const session = useSession();
  const { tier, deployment, grid } = props;
  const barredWhy = deployment.nodes.find((node) => node.tier === tier)?.barred;
  const live = useStore(session.engine, (state) => state.status.state === 'ok');
  const pin = useCallback(
    (user: number, variant: string) => {
      if (live) void togglePin(session, { user, tier, variant });
    },
    [session, tier, live],
  );
  return (
    <table
      role="grid"
      className={styles['tier']}
      aria-label={WORDS.cellsOf(STRINGS.tiers[tier])}
      aria-disabled={!live}
      data-tier={tier}
      data-barred={barredWhy !== undefined}
    >
      <thead>
        <tr>
          <th scope="col" className={styles['corner']} title={barredWhy}>
            {STRINGS.tiers[tier]}
          </th>
          <VariantHeads variants={deployment.variants} />
        </tr>
      </thead>
      <tbody>
        {props.present.map(({ user, choice, pin: pinned }) => (
          <MatrixRow
            key={user}
            user={user}
            tier={tier}
            variants={deployment.variants}
            beliefs={grid.get(gridKey(user, tier)) ?? NO_BELIEFS}
            chosen={choice?.tier === tier ? choice.variant : undefined}
            pinned={pinned?.tier === tier ? pinned.variant : undefined}
            barredWhy={barredWhy}
            tabStop={props.tabStop}
            onFocusCell={props.onFocusCell}
            onPin={pin}
          />
        ))}
      </tbody>
    </table>
  );
}

function Legend(): ReactNode {
  const words = WORDS.legend;
  return (
    <p className={styles['legend']}>
      <span>{WORDS.unit}</span>
      <span>
        <i data-state="chosen" /> {words.chosen}
      </span>
      <span>
        <i data-state="pinned" /> {words.pinned}
      </span>
      <span>
        <i data-state="barred" /> {words.barred}
      </span>
      <span className={styles['hint']}>{words.hint}</span>
    </p>
  );
}

interface ChoiceMatrixProps {
  readonly deployment: OffloadState;
  /** Undefined until the agent was asked. */
  readonly beliefs: readonly Belief[] | undefined;
}

/** Users against tiers and variants: what is chosen now and what everything else would take. A click pins. */
export function ChoiceMatrix({ deployment, beliefs = [] }: ChoiceMatrixProps): ReactNode {
  const { offload } = useSession();
  const decisions = useStore(offload, (state) => state.decisions);
  const present = useMemo(() => presentChoices(deployment, decisions), [deployment, decisions]);
  const grid = useMemo(() => gridOf(beliefs, deployment.variants), [beliefs, deployment.variants]);
  const [focused, setFocused] = useState<string>();
  const first = `0 ${TIER_NAMES[0]} ${deployment.variants[0]?.id ?? ''}`;
  return (
    <section className={styles['matrix']} aria-label={WORDS.title}>
      <div className={styles['tables']} onKeyDown={onArrow}>
        <PresentTable present={present} />
        {TIER_NAMES.map((tier) => (
          <TierTable
            key={tier}
            tier={tier}
            deployment={deployment}
            grid={grid}
            present={present}
            tabStop={focused ?? first}
            onFocusCell={setFocused}
          />
        ))}
      </div>
      <Legend />
    </section>
  );
}
