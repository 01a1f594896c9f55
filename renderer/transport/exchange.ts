import { SluiceError } from '../../core/contract';
import type {
  ClientMessage,
  EngineMessage,
  EventName,
  Events,
  Reply,
  RequestInput,
  RequestName,
  RequestOutput,
} from '../../core/contract';
import { strings } from '../strings';

/** Carries messages to the engine; what it receives goes to `Exchange.receive`. */
export interface Wire {
  readonly send: (message: ClientMessage) => void;
}

interface Pending {
  readonly name: RequestName;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: SluiceError) => void;
}

type Listener = (payload: never) => void;

/** Requests by id and events by name over whichever wire is attached; at most one at a time. */
export interface Exchange {
  readonly request: <N extends RequestName>(name: N, input: RequestInput<N>) => Promise<RequestOutput<N>>;
  readonly on: <E extends EventName>(event: E, listener: (payload: Events[E]) => void) => () => void;
  readonly attach: (wire: Wire) => void;
  /** Rejects everything pending with `engine-down`; later requests are rejected until the next `attach`. */
  readonly detach: (reason: string) => void;
  /** @throws SluiceError `internal` when the message is none of the contract's. */
  readonly receive: (message: unknown) => void;
}

function engineDown(name: RequestName, reason: string): SluiceError {
  return new SluiceError(
    'engine-down',
    `${name} got no answer: ${reason}. Try again once the engine is back.`,
    {
      request: name,
    },
  );
}

function isEngineMessage(message: unknown): message is EngineMessage {
  if (typeof message !== 'object' || message === null) return false;
  if ('event' in message) return typeof message.event === 'string' && 'payload' in message;
  return 'id' in message && typeof message.id === 'number' && 'reply' in message;
}

export function createExchange(): Exchange {
  let wire: Wire | undefined;
  let whyDown = strings.connection.stillStarting;
  let nextId = 1;
  const pending = new Map<number, Pending>();
  const listeners = new Map<EventName, Set<Listener>>();

  const settle = (id: number, reply: Reply<unknown>): void => {
    const waiting = pending.get(id);
    if (waiting === undefined) return; // answered after its wire was given up: already rejected
    pending.delete(id);
    if (reply.ok) waiting.resolve(reply.value);
    else waiting.reject(SluiceError.fromWire(reply.error));
  };

  return {
    request: (name, input) =>
      new Promise((resolve, reject) => {
        if (wire === undefined) {
          reject(engineDown(name, whyDown));
          return;
        }
        const id = nextId++;
        pending.set(id, { name, resolve: resolve, reject });
        try {
          wire.send({ id, request: name, input } as ClientMessage);
        } catch (thrown) {
          pending.delete(id);
          reject(SluiceError.from(thrown, 'engine-down'));
        }
      }),
    on: (event, listener) => {
      const set = listeners.get(event) ?? new Set<Listener>();
      listeners.set(event, set);
      set.add(listener);
      return () => set.delete(listener);
    },
    attach: (next) => {
      wire = next;
    },
    detach: (reason) => {
      wire = undefined;
      whyDown = reason;
      const abandoned = [...pending.values()];
      pending.clear();
      for (const { name, reject } of abandoned) reject(engineDown(name, reason));
    },
    receive: (message) => {
      if (!isEngineMessage(message)) {
        throw new SluiceError(
          'internal',
          'the engine sent neither a reply nor an event; both sides must run the same version',
        );
      }
      if ('event' in message) {
        for (const listener of listeners.get(message.event) ?? [])
          (listener as (payload: unknown) => void)(message.payload);
      } else {
        settle(message.id, message.reply);
      }
    },
  };
}
