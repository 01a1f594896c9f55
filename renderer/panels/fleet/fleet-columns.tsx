import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import type { BoxFigures, BoxState, FleetBox } from '../../../core/contract';
import { formatBytesOf, formatCount, formatMs, formatPct, formatRate, NO_FIGURE } from '../../format';
import { useSession } from '../../session';
import { strings } from '../../strings';
import type { TableColumn } from '../../ui';
import { useNowText } from '../../ui';
import { BoxBudget } from './box-budget';
import { BoxStateMark } from './box-state';
import { formatSince } from './box-text';
import styles from './fleet-columns.module.css';
import { toggleChosen } from './fleet-actions';

const { fleet } = strings;

const WORDS = fleet.columns;

/** What asks for a look comes first. */
const STATE_ORDER: Readonly<Record<BoxState, number>> = { refused: 0, offline: 1, connecting: 2, online: 3 };

export interface FleetColumn extends TableColumn<FleetBox> {
  /** CSS pixels it needs, about. */
  readonly needsPx: number;
  /** The higher, the sooner it goes where there is little room; 0 stays. */
  readonly leaves: number;
  /** Its figures change all the time. */
  readonly isLive?: boolean;
}

type Figure = (figures: BoxFigures) => number | undefined;

/** Ascending; boxes without the figure come first, so that they are last when the highest are wanted. */
function byFigure(figure: Figure): (a: FleetBox, b: FleetBox) => number {
  const valueOf = ({ figures }: FleetBox): number => {
    const value = figures === undefined ? Number.NaN : (figure(figures) ?? Number.NaN);
    return Number.isFinite(value) ? value : -1;
  };
  return (a, b) => valueOf(a) - valueOf(b);
}

function figureColumn(
  key: string,
  figure: Figure,
  text: (figures: BoxFigures) => ReactNode,
  rest: Pick<FleetColumn, 'label' | 'width' | 'needsPx' | 'leaves'> & Partial<FleetColumn>,
): FleetColumn {
  return {
    key,
    align: 'end',
    compare: byFigure(figure),
    cell: ({ figures }) => (figures === undefined ? NO_FIGURE : text(figures)),
    ...rest,
  };
}

function Choice({ box }: { readonly box: FleetBox }): ReactNode {
  const { fleet: store } = useSession();
  const isChosen = useStore(store, ({ chosen }) => chosen.has(box.id));
  return (
    // The whole cell takes the click, so that none lands on the row beside it.
    <label className={styles['choice']} onClick={(event) => event.stopPropagation()}>
      <input
        type="checkbox"
        tabIndex={-1}
        aria-label={fleet.choose(box.name)}
        checked={isChosen}
        onChange={() => toggleChosen(store, [box.id])}
      />
    </label>
  );
}

function Since({ sinceMs }: { readonly sinceMs: number }): ReactNode {
  return useNowText((nowMs) => formatSince(nowMs - sinceMs));
}

function Alerts({ figures }: { readonly figures: BoxFigures }): ReactNode {
  const count = figures.alerts.length;
  return count === 0 ? '0' : <b className={styles['alerts']}>{formatCount(count)}</b>;
}

export const FLEET_COLUMNS: readonly FleetColumn[] = [
  {
    key: 'choice',
    label: WORDS.choice,
    width: '18px',
    needsPx: 18,
    leaves: 0,
    cell: (box) => <Choice box={box} />,
  },
  {
    key: 'name',
    label: WORDS.name,
    width: 'minmax(120px, 300px)',
    needsPx: 120,
    leaves: 0,
    compare: (a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }),
    title: ({ name, url }) => `${name}, ${url}`,
    cell: ({ name }) => <b className={styles['name']}>{name}</b>,
  },
  {
    key: 'state',
    label: WORDS.state,
    help: 'fleet.state',
    width: '88px',
    needsPx: 88,
    leaves: 0,
    compare: (a, b) => STATE_ORDER[a.state] - STATE_ORDER[b.state],
    title: ({ reason }) => reason,
    cell: ({ state }) => <BoxStateMark state={state} />,
  },
  figureColumn(
    'cpu',
    ({ cpuPct }) => cpuPct,
    ({ cpuPct }) => formatPct(cpuPct),
    {
      ...{ label: WORDS.cpu, help: 'fleet.cpu', width: '46px', needsPx: 46, leaves: 0, isLive: true },
    },
  ),
  figureColumn(
    'memory',
    ({ memUsedBytes, memTotalBytes }) => memUsedBytes / memTotalBytes,
    ({ memUsedBytes, memTotalBytes }) => formatBytesOf(memUsedBytes, memTotalBytes),
    { label: WORDS.memory, help: 'fleet.memory', width: '92px', needsPx: 92, leaves: 1, isLive: true },
  ),
  figureColumn(
    'budget',
    ({ budgetUsedBytes }) => budgetUsedBytes,
    (figures) => <BoxBudget figures={figures} />,
    {
      ...{
        label: WORDS.budget,
        help: 'fleet.budget',
        width: 'minmax(170px, 260px)',
        needsPx: 170,
        leaves: 0,
      },
      isLive: true,
    },
  ),
  figureColumn(
    'disk',
    ({ diskReadBytesPerSec }) => diskReadBytesPerSec,
    ({ diskReadBytesPerSec }) => formatRate(diskReadBytesPerSec),
    { label: WORDS.disk, help: 'fleet.disk', width: '74px', needsPx: 74, leaves: 2, isLive: true },
  ),
  figureColumn(
    'models',
    ({ models }) => models.length,
    ({ models }) => formatCount(models.length),
    {
      ...{ label: WORDS.models, help: 'fleet.models', width: '54px', needsPx: 54, leaves: 4 },
      title: ({ figures }) => figures?.models.map(({ name }) => name).join(', '),
    },
  ),
  figureColumn(
    'runs',
    ({ runsGoing }) => runsGoing,
    ({ runsGoing }) => formatCount(runsGoing),
    {
      ...{ label: WORDS.runs, help: 'fleet.runs', width: '38px', needsPx: 38, leaves: 1, isLive: true },
    },
  ),
  figureColumn(
    'jobs',
    ({ jobsGoing }) => jobsGoing,
    ({ jobsGoing }) => formatCount(jobsGoing),
    {
      ...{ label: WORDS.jobs, help: 'fleet.jobs', width: '38px', needsPx: 38, leaves: 5, isLive: true },
    },
  ),
  figureColumn(
    'decisions',
    ({ decisions }) => decisions?.total,
    ({ decisions }) => formatCount(decisions?.total ?? Number.NaN),
    { label: WORDS.decisions, help: 'fleet.decisions', width: '66px', needsPx: 66, leaves: 6, isLive: true },
  ),
  figureColumn(
    'response',
    ({ decisions }) => decisions?.medianResponseMs,
    ({ decisions }) => formatMs(decisions?.medianResponseMs ?? Number.NaN),
    { label: WORDS.response, help: 'fleet.response', width: '66px', needsPx: 66, leaves: 3, isLive: true },
  ),
  figureColumn(
    'alerts',
    ({ alerts }) => alerts.length,
    (figures) => <Alerts figures={figures} />,
    {
      ...{ label: WORDS.alerts, help: 'fleet.alerts', width: '44px', needsPx: 44, leaves: 0 },
      title: ({ figures }) => figures?.alerts.join('\n'),
    },
  ),
  {
    key: 'roundTrip',
    label: WORDS.roundTrip,
    help: 'fleet.roundTrip',
    width: '72px',
    needsPx: 72,
    leaves: 7,
    align: 'end',
    isLive: true,
    compare: (a, b) => (a.roundTripMs ?? -1) - (b.roundTripMs ?? -1),
    cell: ({ roundTripMs, state }) => (state === 'online' ? formatMs(roundTripMs ?? Number.NaN) : NO_FIGURE),
  },
  {
    key: 'since',
    label: WORDS.since,
    help: 'fleet.since',
    width: '54px',
    needsPx: 54,
    leaves: 8,
    align: 'end',
    // The longest last: it became so first.
    compare: (a, b) => b.sinceMs - a.sinceMs,
    cell: ({ sinceMs }) => <Since sinceMs={sinceMs} />,
  },
];

const GAP_PX = 12;
const PADDING_PX = 32 + 10;

/** Those that fit; what matters least goes first. */
export function columnsFor(widthPx: number): readonly FleetColumn[] {
  let columns = FLEET_COLUMNS;
  const needed = (): number =>
    columns.reduce((sum, { needsPx }) => sum + needsPx + GAP_PX, PADDING_PX - GAP_PX);
  while (needed() > widthPx) {
    const most = Math.max(...columns.map(({ leaves }) => leaves));
    if (most === 0) break;
    columns = columns.filter(({ leaves }) => leaves !== most);
  }
  return columns;
}
