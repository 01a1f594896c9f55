import type { RequestInput, RequestName, RequestOutput } from '../../contract';
import type { Services } from '../services';

/** The connection a request came by. */
export interface Client {
  /** Starts or stops `telemetry` events on it. */
  watchTelemetry(on: boolean): void;
}

type Handler<N extends RequestName> = (
  input: RequestInput<N>,
  services: Services,
  client: Client,
) => RequestOutput<N> | Promise<RequestOutput<N>>;

/** Handlers of the requests `N`. What they throw becomes the reply's error. */
export type Handlers<N extends RequestName> = { readonly [K in N]: Handler<K> };
