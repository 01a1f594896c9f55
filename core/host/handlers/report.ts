import { systemClock } from '../../base';
import type { ReportRequests } from '../../contract';
import { apiOf } from '../lab/connection/lab-link';
import type { Handlers } from './handler';

export const reportHandlers: Handlers<keyof ReportRequests> = {
  'report.make': async ({ what }, services) => {
    // Most engines never make one.
    const { makeReport } = await import('../report/make-report');
    return makeReport(what, { services, lab: () => apiOf(services), nowMs: systemClock.nowMs() });
  },
};
