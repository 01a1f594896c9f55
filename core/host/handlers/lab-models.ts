import type { LabModelRequests } from '../../contract';
import { apiOf, type LabHandlers } from '../lab/connection/lab-link';
import { listModels, registerModel, setAlias } from '../lab/requests/lab-models';

export const labModelHandlers: LabHandlers<keyof LabModelRequests> = {
  'lab.models': async (_input, link) => listModels(await apiOf(link)),
  'lab.registerModel': async (input, link) => registerModel(await apiOf(link), input),
  'lab.setAlias': async (input, link) => setAlias(await apiOf(link), input),
};
