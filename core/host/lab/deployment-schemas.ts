import { z } from 'zod';

import type { LabDeploymentRequests, RequestInput } from '../../contract';

const nothing = z.strictObject({});
const text = z.string().min(1).max(200);
const percent = z.number().min(0).max(100);
const MOST_VERSION = 1e9;
const deployed = { endpointId: text, servedAs: text };
c;
