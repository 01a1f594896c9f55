import type { LabDeploymentRequests } from '../../contract';
import type { LabApi } from '../lab/connection/lab-api';
import type { LabDeployments } from '../lab/deployments/lab-deployments';

/** What of the services these requests need. */
interface DeploymentServices {
  readonly labDeployments: LabDeployments;
  readonly lab: () => Promise<{ api(): Promise<Pick<LabApi, 'url' | 'headers'>> }>;
}

type Handler<N extends keyof LabDeploymentRequests> = (
  input: LabDeploymentRequests[N]['input'],
  services: DeploymentServices,
) => Promise<LabDeploymentRequests[N]['output']>;

export const labDeploymentHandlers: { readonly [N in keyof LabDeploymentRequests]: Handler<N> } = {
  'lab.deployments': (_input, { labDeployments, lab }) => labDeployments.list(() => apiOf(lab)),
  'lab.publish': async (publish, { labDeployments, lab }) =>
    labDeployments.publish(await apiOf(lab), publish),
  'lab.setCanary': async ({ endpointId, servedAs, sharePct }, { labDeployments, lab }) =>
    labDeployments.setCanary(await apiOf(lab), endpointId, servedAs, sharePct),
  'lab.rollBack': async ({ endpointId, servedAs }, { labDeployments, lab }) =>
    labDeployments.rollBack(await apiOf(lab), endpointId, servedAs),
  'lab.unpublish': async ({ endpointId, servedAs }, { labDeployments, lab }) => {
    await labDeployments.unpublish(await apiOf(lab), endpointId, servedAs);
    return {};
  },
};

async function apiOf(lab: DeploymentServices['lab']): Promise<Pick<LabApi, 'url' | 'headers'>> {
  return (await lab()).api();
}
