import { useEffect, useState } from 'react';

import { SluiceError } from '../../../../core/contract';
import { useSession } from '../../../session';

export interface QueryAnswer {
  /** Undefined while nothing was found out yet. */
  readonly ids?: ReadonlySet<string>;
  /** What is wrong with the query, as the lab says it. */
  readonly fault?: string;
}

const SETTLE_MS = 350;
/** Runs go on and begin or cease to match: so often the lab is asked again, if anything changed. */
const AGAIN_MS = 3000;

/** Ids of the runs that match a filter of MLflow's syntax. An empty one asks nothing. */
export function useQuery(filter: string): QueryAnswer {
  const { client, lab } = useSession();
  const [answer, setAnswer] = useState<QueryAnswer & { readonly filter: string }>();
  useEffect(() => {
    if (filter === '') return;
    let isOn = true;
    let askedTick = -1;
    const ask = (): void => {
      const tick = lab.getState().ticks.runs;
      if (tick === askedTick) return;
      askedTick = tick;
      client.request('lab.findRuns', { filter }).then(
        ({ runIds }) => {
          if (isOn) setAnswer({ filter, ids: new Set(runIds) });
        },
        (thrown: unknown) => {
          const fault = SluiceError.from(thrown).message;
          // What matched last stays in view while the filter is being written.
          if (isOn) setAnswer((old) => ({ ...old, filter, fault }));
        },
      );
    };
    const first = setTimeout(ask, SETTLE_MS);
    const again = setInterval(ask, AGAIN_MS);
    return () => {
      isOn = false;
      clearTimeout(first);
      clearInterval(again);
    };
  }, [client, lab, filter]);
  if (filter === '' || answer === undefined) return {};
  return {
    ...(answer.ids === undefined ? {} : { ids: answer.ids }),
    ...(answer.fault === undefined || answer.filter !== filter ? {} : { fault: answer.fault }),
  };
}
