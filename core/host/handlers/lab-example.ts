import type { LabSearchRequests } from '../../contract';
import { startExample } from '../lab/example/start-example';
import { rowSchema } from '../lab/requests/run-answers';
import type { Handlers } from './handler';

export const labExampleHandlers: Handlers<Extract<keyof LabSearchRequests, 'lab.startExample'>> = {
  'lab.startExample': async (_input, { lab, appRoot, info }) => {
    const api = await (await lab()).api();
    const { runId } = await startExample({ api, appRoot, dataDir: info.dataDir });
    return api.get(`rows/${runId}`, rowSchema);
  },
};
