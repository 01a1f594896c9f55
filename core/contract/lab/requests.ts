import type { LabCompetitionRequests } from './competitions';
import type { LabDatasetRequests } from './datasets';
import type { LabDeploymentRequests } from './deployments';
import type { LabModelRequests } from './models';
import type { LabQueueRequests } from './queue';
import type { LabRunRequests } from './runs';
import type { LabSearchRequests } from './searches';
import type { LabStatusRequests } from './status';

export interface LabRequests
  extends
    LabStatusRequests,
    LabRunRequests,
    LabQueueRequests,
    LabDatasetRequests,
    LabCompetitionRequests,
    LabModelRequests,
    LabDeploymentRequests,
    LabSearchRequests {}
