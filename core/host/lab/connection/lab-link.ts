import type { RequestInput, RequestName, RequestOutput } from '../../../contract';
import type { Jobs } from '../../jobs';
import type { LabApi } from './lab-api';

/** What handlers of the lab's shelves need of the services. */
export interface LabLink {
  readonly jobs: Jobs;
  /** Reaches the lab, and starts its server where there is none. */
  readonly lab: () => Promise<{ api(): Promise<LabApi> }>;
}

/** Handlers of the requests `N`, of what they need alone. */
export type LabHandlers<N extends RequestName> = {
  readonly [K in N]: (input: RequestInput<K>, link: LabLink) => Promise<RequestOutput<K>>;
};

export async function apiOf({ lab }: LabLink): Promise<LabApi> {
  return (await lab()).api();
}
