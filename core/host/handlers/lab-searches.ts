import type { LabSearchRequests } from '../../contract';
import { apiOf, type LabHandlers } from '../lab/connection/lab-link';
import {
  changeSearch,
  listSearches,
  narrowSearch,
  readSearch,
  removeSearch,
  startSearch,
} from '../lab/requests/lab-searches';

export const labSearchHandlers: LabHandlers<Exclude<keyof LabSearchRequests, 'lab.startExample'>> = {
  'lab.searches': async (_input, link) => listSearches(await apiOf(link)),
  'lab.search': async ({ id }, link) => readSearch(await apiOf(link), id),
  'lab.startSearch': async (input, link) => startSearch(await apiOf(link), input),
  'lab.narrowSearch': async (input, link) => narrowSearch(await apiOf(link), input),
  'lab.stopSearch': async ({ id }, link) => changeSearch(await apiOf(link), id, 'stop'),
  'lab.resumeSearch': async ({ id }, link) => changeSearch(await apiOf(link), id, 'resume'),
  'lab.removeSearch': async ({ id }, link) => removeSearch(await apiOf(link), id),
};
