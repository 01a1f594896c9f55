export type { JobEngine, JobNode, JobResources, JobSpec, JobState, JobStatus } from './jobs/job-engine';
export { LocalEngine } from './jobs/local/local-engine';
export type { LocalEngineOptions } from './jobs/local/local-engine';
export { startLabServer } from './server/lab-server';
export type { LabRoutes, LabServerOptions } from './server/lab-server';
export { LabDatabase } from './store/lab-database';
export type { AreaSchema } from './store/lab-database';
export { takeLabFolder } from './store/lab-folder';
export type { LabFolder } from './store/lab-folder';
