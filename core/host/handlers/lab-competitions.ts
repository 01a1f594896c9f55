import type { LabCompetitionRequests } from '../../contract';
import { listCompetitions, listSubmissions, readBoard, submitRun } from '../lab/requests/lab-competitions';
import { apiOf, type LabHandlers } from '../lab/connection/lab-link';

export const labCompetitionHandlers: LabHandlers<keyof LabCompetitionRequests> = {
  'lab.competitions': async (_input, link) => listCompetitions(await apiOf(link)),
  'lab.board': async ({ competition }, link) => readBoard(await apiOf(link), competition),
  'lab.submissions': async ({ competition }, link) => listSubmissions(await apiOf(link), competition),
  'lab.submit': async (input, link) => submitRun(await apiOf(link), input),
};
