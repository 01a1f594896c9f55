import type { Handlers } from './handler';

export const jobHandlers: Handlers<'jobs.list' | 'jobs.cancel'> = {
  'jobs.list': (_input, { jobs }) => jobs.list(),
  'jobs.cancel': ({ jobId }, { jobs }) => {
    jobs.cancel(jobId);
    return {};
  },
};
