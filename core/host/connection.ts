import { SluiceError } from '../contract';
import type { Channel } from './channel';
import { dispatch } from './dispatch';
import { clientFleet } from './fleet/client-fleet';
import type { Services } from './services';

export interface Connection {
  /** Answers one message of the client. Anything that is no request is refused if it can be. */
  receive(message: unknown): void;
  /** Ends events to a client that is gone. Its runs and jobs go on. */
  close(): void;
}

/** Connects a client: requests are answered as they finish, events come in order. */
export function connect(services: Services, channel: Channel, log: (message: string) => void): Connection {
  let endTelemetry: (() => void) | undefined;
  const { close: closeFleet, ...fleet } = clientFleet(channel);
  const client = {
    ...fleet,
    watchTelemetry(on: boolean): void {
      endTelemetry?.();
      endTelemetry = on
        ? services.telemetry.subscribe((payload) => {
            if (channel.pressure() !== 'free') return false;
            channel.send({ event: 'telemetry', payload });
            return true;
          })
        : undefined;
    },
  };
  const endEvents = services.bus.subscribe((message) => {
    if (message.event === 'result' && channel.pressure() === 'clogged') return;
    channel.send(message);
  });
  return {
    receive(message) {
      if (!isEnvelope(message)) {
        log('refused a message: expected {id, request, input}');
        return;
      }
      const { id, request, input } = message;
      void dispatch(services, client, request, input).then((reply) => {
        try {
          channel.send({ id, reply });
        } catch (thrown) {
          // A reply that can't be encoded must not leave the caller waiting.
          channel.send({ id, reply: { ok: false, error: SluiceError.from(thrown).toWire() } });
        }
      });
    },
    close() {
      endTelemetry?.();
      closeFleet();
      endEvents();
    },
  };
}

function isEnvelope(message: unknown): message is { id: number; request: unknown; input: unknown } {
  return (
    typeof message === 'object' &&
    message !== null &&
    'id' in message &&
    typeof message.id === 'number' &&
    'request' in message
  );
}
