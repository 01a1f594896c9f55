import { useEffect, useMemo, useState } from 'react';
import { useStore } from 'zustand';

import type { FleetBox } from '../../../core/contract';
import { useSession } from '../../session';
import type { BoxFilter, BoxOrder } from '../../stores';
import { matchesWords } from './box-text';
import { FLEET_COLUMNS } from './fleet-columns';

/** Rows ordered by a figure that changes all the time change places this often, so that one can be followed. */
const HOLD_MS = 3_000;

const columnOf = (key: string) => FLEET_COLUMNS.find((column) => column.key === key);

/** Names decide between equals, so that no two rows ever change places for nothing. */
export function orderBoxes(boxes: readonly FleetBox[], { key, descending }: BoxOrder): readonly FleetBox[] {
  const compare = columnOf(key)?.compare ?? (() => 0);
  const byName = columnOf('name')?.compare ?? (() => 0);
  return [...boxes].sort((a, b) => (descending ? compare(b, a) : compare(a, b)) || byName(a, b));
}

/** Boxes in the places that `ranks` gave them; those that came since are last. */
function inPlaces(boxes: readonly FleetBox[], ranks: ReadonlyMap<string, number>): readonly FleetBox[] {
  const rankOf = ({ id }: FleetBox): number => ranks.get(id) ?? ranks.size;
  return [...boxes].sort((a, b) => rankOf(a) - rankOf(b));
}

export function filterBoxes(
  boxes: readonly FleetBox[],
  filter: BoxFilter,
  words: string,
): readonly FleetBox[] {
  return boxes.filter((box) => (filter === 'all' || box.state === filter) && matchesWords(box, words));
}

/** All boxes but one that is being removed; undefined before they first came. */
export function useBoxes(): readonly FleetBox[] | undefined {
  const { fleet } = useSession();
  const boxes = useStore(fleet, (state) => state.boxes);
  const removing = useStore(fleet, (state) => state.removing?.id);
  return useMemo(
    () => (boxes === undefined ? undefined : [...boxes.values()].filter(({ id }) => id !== removing)),
    [boxes, removing],
  );
}

/** The boxes that match the filter, in order. */
export function useFleetRows(all: readonly FleetBox[]): readonly FleetBox[] {
  const { fleet } = useSession();
  const order = useStore(fleet, (state) => state.order);
  const filter = useStore(fleet, (state) => state.filter);
  const words = useStore(fleet, (state) => state.words);
  const isLive = columnOf(order.key)?.isLive === true;
  const [held, setHeld] = useState<{
    readonly order: BoxOrder;
    readonly ranks: ReadonlyMap<string, number>;
  }>();
  useEffect(() => {
    if (!isLive) return;
    const hold = (): void => {
      const boxes = [...(fleet.getState().boxes?.values() ?? [])];
      setHeld({ order, ranks: new Map(orderBoxes(boxes, order).map(({ id }, rank) => [id, rank])) });
    };
    hold();
    const timer = setInterval(hold, HOLD_MS);
    return () => clearInterval(timer);
  }, [fleet, order, isLive]);
  return useMemo(() => {
    const matching = filterBoxes(all, filter, words);
    return isLive && held?.order === order ? inPlaces(matching, held.ranks) : orderBoxes(matching, order);
  }, [all, filter, words, order, isLive, held]);
}
