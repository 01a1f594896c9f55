import type { Handlers } from './handler';

export const engineHandlers: Handlers<'engine.info' | 'device.info' | 'telemetry.watch'> = {
  'engine.info': (_input, { info }) => info,
  'device.info': (_input, { telemetry }) => telemetry.deviceInfo(),
  'telemetry.watch': ({ on }, _services, client) => {
    client.watchTelemetry(on);
    return {};
  },
};
