import type { Client } from '../handlers/handler';

/** A connection that nothing is told on. */
export const PLAIN_CLIENT: Client = {
  watchTelemetry: () => undefined,
  watchFleet: () => undefined,
  followBox: () => undefined,
};
