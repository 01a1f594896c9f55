import type { FleetRequests } from '../../contract';
import type { Handlers } from './handler';

export const fleetHandlers: Handlers<keyof FleetRequests> = {
  'fleet.list': async (_input, services, client) => {
    const fleet = await services.fleet();
    client.watchFleet(fleet);
    return fleet.list();
  },
  'fleet.add': async (box, services) => (await services.fleet()).add(box),
  'fleet.retry': async ({ box, token, certificateFingerprint }, services) =>
    (await services.fleet()).retry(box, token, certificateFingerprint),
  'fleet.rename': async ({ box, name }, services) => (await services.fleet()).rename(box, name),
  'fleet.remove': async ({ box }, services) => {
    (await services.fleet()).remove(box);
    return {};
  },
  'fleet.ask': async ({ box, request, input }, services) => (await services.fleet()).ask(box, request, input),
  'fleet.follow': async ({ box, on }, services, client) => {
    client.followBox(await services.fleet(), box, on);
    return {};
  },
};
