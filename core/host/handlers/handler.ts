import type { RequestInput, RequestName, RequestOutput } from '../../contract';
import type { Fleet } from '../fleet/fleet';
import type { Services } from '../services';

/** The connection a request came by. */
export interface Client {
  /** Starts or stops `telemetry` events on it. */
  watchTelemetry(on: boolean): void;
  /** It shows the fleet from now on. */
  watchFleet(fleet: Fleet): void;
  /** Starts or stops `fleetTold` events of one box on it. @throws SluiceError `not-found`. */
  followBox(fleet: Fleet, box: string, on: boolean): void;
}

type Handler<N extends RequestName> = (
  input: RequestInput<N>,
  services: Services,
  client: Client,
) => RequestOutput<N> | Promise<RequestOutput<N>>;

/** Handlers of the requests `N`. What they throw becomes the reply's error. */
export type Handlers<N extends RequestName> = { readonly [K in N]: Handler<K> };
