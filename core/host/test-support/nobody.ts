import type { Client } from '../handlers/handler';

/** A client that follows nothing. */
export const NOBODY: Client = {
  watchTelemetry: () => undefined,
  watchFleet: () => undefined,
  followBox: () => undefined,
};
