import type {
  Belief,
  DecisionRecord,
  OffloadState,
  Pin,
  TierName,
  UserDecision,
  VariantRecord,
} from '../../../core/contract';
import { formatMs } from '../../format';
import { strings } from '../../strings';

const STRINGS = strings.decisions;

const WORDS = STRINGS.matrix;

export type CellState = 'chosen' | 'barred' | 'free' | 'pinned';

/** What the agent believes of each user and tier, in the order of the deployment's variants. */
export type BeliefGrid = ReadonlyMap<string, readonly (Belief | undefined)[]>;

export function gridKey(user: number, tier: TierName): string {
  return `${user} ${tier}`;
}

export function gridOf(beliefs: readonly Belief[], variants: readonly VariantRecord[]): BeliefGrid {
  const column = new Map(variants.map(({ id }, index) => [id, index]));
  const grid = new Map<string, (Belief | undefined)[]>();
  for (const belief of beliefs) {
    const key = gridKey(belief.user, belief.tier);
    const row = grid.get(key) ?? new Array<Belief | undefined>(variants.length).fill(undefined);
    const index = column.get(belief.variant);
    if (index !== undefined) row[index] = belief;
    grid.set(key, row);
  }
  return grid;
}

/** A pin counts before the choice it leads to, a choice before what bars it now. */
export function cellState(
  belief: Belief | undefined,
  isPinned: boolean,
  isChosen: boolean,
  tierBarred: boolean,
): CellState {
  if (isPinned) return 'pinned';
  if (isChosen) return 'chosen';
  return belief?.barred !== undefined || tierBarred ? 'barred' : 'free';
}

/** A cell in words: its name for assistive technology, and what rests under the pointer. */
export function cellText(
  cell: { readonly user: number; readonly tier: TierName; readonly variant: string },
  belief: Belief | undefined,
  state: CellState,
  barredWhy: string | undefined,
): string {
  const parts = [`${STRINGS.user(cell.user)}, ${STRINGS.tiers[cell.tier]} ${cell.variant}`];
  parts.push(
    belief?.predictedMs === undefined ? WORDS.noIdea : WORDS.predicted(formatMs(belief.predictedMs)),
  );
  if (belief?.measuredMs !== undefined) parts.push(WORDS.measured(formatMs(belief.measuredMs)));
  if (state === 'pinned' || state === 'chosen') parts.push(WORDS[state]);
  const why = belief?.barred === undefined ? barredWhy : STRINGS.barredWhy[belief.barred];
  if (why !== undefined) parts.push(WORDS.barred(why));
  return parts.join('; ');
}

export interface PresentChoice {
  readonly user: number;
  /** Absent before the first decision. */
  readonly choice: UserDecision | undefined;
  readonly pin: Pin | undefined;
  /** Of the last round that is over for this user. */
  readonly last: UserDecision | undefined;
}

/** What is chosen for each user now, and how the last answer came. */
export function presentChoices(
  deployment: OffloadState,
  decisions: readonly DecisionRecord[],
): readonly PresentChoice[] {
  const current = decisions[0];
  const over = decisions.find(({ users }) => users.some(({ responseMs }) => responseMs !== undefined));
  return Array.from({ length: deployment.settings.users }, (_, user) => ({
    user,
    choice: current?.users[user],
    pin: deployment.pins.find((pin) => pin.user === user),
    last: over?.users[user],
  }));
}
