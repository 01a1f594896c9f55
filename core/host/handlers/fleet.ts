import type { FleetRequests } from '../../contract';
import type { Handlers } from './handler';

export const fleetHandlers: Handlers<keyof FleetRequests | 'fleet.ask'> = {
  'fleet.list': async (_input, services, client) => {
    const { boxes } = await services.fleet();
    client.watchFleet(boxes);
    return boxes.list();
  },
  'fleet.add': async (box, services) => (await services.fleet()).boxes.add(box),
  'fleet.retry': async ({ box, token, certificateFingerprint }, services) =>
    (await services.fleet()).boxes.retry(box, token, certificateFingerprint),
  'fleet.rename': async ({ box, name }, services) => (await services.fleet()).boxes.rename(box, name),
  'fleet.remove': async ({ box }, services) => {
    (await services.fleet()).boxes.remove(box);
    return {};
  },
  'fleet.ask': async ({ box, request, input }, services) =>
    (await services.fleet()).boxes.ask(box, request, input),
  'fleet.follow': async ({ box, on }, services, client) => {
    client.followBox((await services.fleet()).boxes, box, on);
    return {};
  },
  'fleet.sendFile': async ({ jobId, box, path }, services) => ({
    path: await (await services.fleet()).sendFile(jobId, box, path),
  }),
  'fleet.push': async ({ model, boxes, keepSource }, services) =>
    (await services.fleet()).pushes.start(model, boxes, keepSource),
  'fleet.pushes': async (_input, services) => (await services.fleet()).pushes.list(),
  'fleet.cancelPush': async ({ push }, services) => (await services.fleet()).pushes.cancel(push),
  'fleet.retryPush': async ({ push }, services) => (await services.fleet()).pushes.retry(push),
};
