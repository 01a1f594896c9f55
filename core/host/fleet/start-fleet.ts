import { systemClock } from '../../base';
import type { Clock } from '../../base';
import type { EventBus } from '../event-bus';
import { StateFile } from '../state-file';
import type { Log } from '../state-file';
import { FLEET_TIMES } from './box';
import type { FleetTimes } from './box';
import { dialBox } from './box-socket';
import { BoxTokens, tokensFileOf } from './box-tokens';
import { Fleet } from './fleet';
import { fleetFileOf } from './fleet-file';
import { fleetSchema } from './known-box';

export interface FleetOptions {
  readonly dataDir: string;
  readonly version: string;
  readonly bus: Pick<EventBus, 'emit'>;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  readonly clock?: Clock;
  readonly times?: FleetTimes;
}

/** Attaches to the boxes of a data folder. */
export function startFleet({
  dataDir,
  env,
  times = FLEET_TIMES,
  clock = systemClock,
  ...rest
}: FleetOptions): Fleet {
  const { log } = rest;
  return new Fleet({
    ...rest,
    clock,
    times,
    // Only spreads attempts over time.
    random: Math.random,
    dial: dialBox,
    file: new StateFile(fleetFileOf(dataDir), fleetSchema, log),
    tokens: new BoxTokens(tokensFileOf(env), log),
  });
}
