import { z } from 'zod';

import type { LabDeploymentRequests, RequestInput } from '../../../contract';

const nothing = z.strictObject({});
const text = z.string().min(1).max(200);
const percent = z.number().min(0).max(100);
const MOST_VERSION = 1e9;
const deployed = { endpointId: text, servedAs: text };

export const LAB_DEPLOYMENT_SCHEMAS: {
  readonly [N in keyof LabDeploymentRequests]: z.ZodType<RequestInput<N>>;
} = {
  'lab.deployments': nothing,
  'lab.publish': z.strictObject({
    model: z.string().min(1).max(256),
    version: z.number().int().min(1).max(MOST_VERSION),
    endpointId: text,
    sharePct: percent,
    variant: z.strictObject({ accuracyPct: percent, source: z.string().min(1).max(1000) }).exactOptional(),
  }),
  'lab.setCanary': z.strictObject({ ...deployed, sharePct: percent }),
  'lab.rollBack': z.strictObject(deployed),
  'lab.unpublish': z.strictObject(deployed),
};
