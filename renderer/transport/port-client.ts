import { ENGINE_PORT_CHANNEL, SluiceError } from '../../core/contract';
import type { EngineStatus, ShellBridge } from '../../core/contract';
import { strings } from '../strings';
import { createStatusHolder } from './engine-client';
import type { EngineClient } from './engine-client';
import { createExchange } from './exchange';

function whyNotOk(status: EngineStatus): string {
  return 'reason' in status ? status.reason : strings.connection.starting;
}

/** Over the MessagePort that Electron's main process hands us through preload. */
export function createPortClient(bridge: ShellBridge, target: Window): EngineClient {
  const exchange = createExchange();
  const holder = createStatusHolder();
  let port: MessagePort | undefined;
  /** What main last told; undefined until it did. */
  let told: EngineStatus | undefined;

  const dropPort = (reason: string): void => {
    port?.close();
    port = undefined;
    exchange.detach(reason);
  };

  // `ok` is told to listeners only when the port is here, so that their first requests go through.
  target.addEventListener('message', (event: MessageEvent<unknown>) => {
    const data = event.data as { readonly type?: unknown } | null;
    const received = event.ports[0];
    if (event.source !== target || data?.type !== ENGINE_PORT_CHANNEL || received === undefined) return;
    if (told?.state !== 'ok') {
      received.close(); // it leads to an engine that died while the port was on its way
      return;
    }
    dropPort(strings.connection.renewed);
    port = received;
    port.onmessage = (message: MessageEvent<unknown>) => exchange.receive(message.data);
    exchange.attach({ send: (message) => received.postMessage(message) });
    holder.set({ state: 'ok' });
  });

  const connect = async (): Promise<void> => {
    const reply = await bridge.request['engine.connect']({});
    // `engine-down`: it died since; its next status brings us back here.
    if (!reply.ok && reply.error.code !== 'engine-down') throw SluiceError.fromWire(reply.error);
  };

  const follow = (status: EngineStatus): void => {
    told = status;
    if (status.state === 'ok') {
      void connect();
      return;
    }
    dropPort(whyNotOk(status));
    holder.set(status);
  };

  bridge.onEngineStatus(follow);
  void bridge.request['engine.status']({}).then((reply) => {
    if (reply.ok && told === undefined) follow(reply.value);
  });

  return {
    request: exchange.request,
    on: exchange.on,
    status: holder.status,
    onStatus: holder.onStatus,
    revive: () => void bridge.request['engine.restart']({}),
  };
}
