import type {
  EngineStatus,
  EventName,
  Events,
  RequestInput,
  RequestName,
  RequestOutput,
} from '../../core/contract';

/** The renderer's way to the engine, the same over Electron's port and a browser's socket. */
export interface EngineClient {
  /** @throws SluiceError as the engine sent it, or `engine-down` when the connection is or gets lost. */
  readonly request: <N extends RequestName>(name: N, input: RequestInput<N>) => Promise<RequestOutput<N>>;
  /** Events of one name arrive in order. Returns the way to stop listening. */
  readonly on: <E extends EventName>(event: E, listener: (payload: Events[E]) => void) => () => void;
  readonly status: () => EngineStatus;
  readonly onStatus: (listener: (status: EngineStatus) => void) => () => void;
  /** After `down`: starts the engine (Electron) or tries to connect (browser) at once. */
  readonly revive: () => void;
}

/** Holds the engine's status and tells listeners about each change. */
export interface StatusHolder {
  readonly status: () => EngineStatus;
  readonly onStatus: (listener: (status: EngineStatus) => void) => () => void;
  readonly set: (status: EngineStatus) => void;
}

export function createStatusHolder(): StatusHolder {
  let status: EngineStatus = { state: 'starting' };
  const listeners = new Set<(status: EngineStatus) => void>();
  return {
    status: () => status,
    onStatus: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    set: (next) => {
      status = next;
      for (const listener of listeners) listener(next);
    },
  };
}
