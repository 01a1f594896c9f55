import type { LabQueueRequests } from '../../contract';
import { apiOf, type LabHandlers } from '../lab/connection/lab-link';
import { readQueue } from '../lab/requests/lab-queue';

export const labQueueHandlers: LabHandlers<keyof LabQueueRequests> = {
  'lab.queue': async (_input, link) => readQueue(await apiOf(link)),
};
