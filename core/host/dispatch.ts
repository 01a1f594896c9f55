import { shownName, SluiceError } from '../contract';
import type { Reply, RequestInput, RequestName, RequestOutput } from '../contract';
import { endpointHandlers } from './handlers/endpoints';
import { engineHandlers } from './handlers/engine';
import { fleetHandlers } from './handlers/fleet';
import type { Client, Handlers } from './handlers/handler';
import { jobHandlers } from './handlers/jobs';
import { labDeploymentHandlers } from './handlers/lab-deployments';
import { labExampleHandlers } from './handlers/lab-example';
import { labRunHandlers } from './handlers/lab-runs';
import { labStatusHandlers } from './handlers/lab-status';
import { labCompetitionHandlers } from './handlers/lab-competitions';
import { labDatasetHandlers } from './handlers/lab-datasets';
import { labModelHandlers } from './handlers/lab-models';
import { labQueueHandlers } from './handlers/lab-queue';
import { labSearchHandlers } from './handlers/lab-searches';
import { languageHandlers } from './handlers/language';
import { modelHandlers } from './handlers/models';
import { offloadHandlers } from './handlers/offload';
import { planHandlers } from './handlers/plans';
import { reportHandlers } from './handlers/report';
import { runHandlers } from './handlers/runs';
import { isRequestName, parseInput } from './schemas';
import type { Services } from './services';

const HANDLERS: Handlers<RequestName> = {
  ...engineHandlers,
  ...modelHandlers,
  ...jobHandlers,
  ...planHandlers,
  ...runHandlers,
  ...reportHandlers,
  ...endpointHandlers,
  ...offloadHandlers,
  ...languageHandlers,
  ...labStatusHandlers,
  ...labQueueHandlers,
  ...labDatasetHandlers,
  ...labCompetitionHandlers,
  ...labModelHandlers,
  ...labSearchHandlers,
  ...labRunHandlers,
  ...labDeploymentHandlers,
  ...labExampleHandlers,
  ...fleetHandlers,
};

/** Checks a request's name and input, and answers it. Whatever happens becomes a reply; never throws. */
export async function dispatch(
  services: Services,
  client: Client,
  request: unknown,
  input: unknown,
): Promise<Reply<unknown>> {
  try {
    if (!isRequestName(request)) {
      throw new SluiceError(
        'bad-input',
        `unknown request ${shownName(request)}; expected one of ${Object.keys(HANDLERS).join(', ')}`,
      );
    }
    return { ok: true, value: await answer(services, client, request, input) };
  } catch (thrown) {
    return { ok: false, error: SluiceError.from(thrown).toWire() };
  }
}

async function answer<N extends RequestName>(
  services: Services,
  client: Client,
  name: N,
  input: unknown,
): Promise<RequestOutput<N>> {
  const parsed: RequestInput<N> = parseInput(name, input);
  return HANDLERS[name](parsed, services, client);
}
