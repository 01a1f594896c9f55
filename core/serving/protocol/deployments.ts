import { z } from 'zod';

/** Beside the protocol: what Sluice's servers and consoles say about published models. */
export const DEPLOYMENTS_PATH = '/v2/repository/deployments';
/** Of the file in the body, lower-case hex. */
export const SHA256_HEADER = 'x-sluice-sha256';

const traffic = z.object({
  version: z.int(),
  sharePct: z.number(),
  requests: z.number(),
  failures: z.number(),
  medianMs: z.number().exactOptional(),
  p95Ms: z.number().exactOptional(),
});

const deployment = z.object({
  servedAs: z.string(),
  /** As the registry calls it. */
  model: z.string(),
  stable: traffic,
  canary: traffic.exactOptional(),
  previousVersion: z.int().exactOptional(),
  /** Why the stable version can't answer. */
  problem: z.string().exactOptional(),
});

export const deploymentListSchema = z.object({ deployments: z.array(deployment) });

/** What a version of a published model has answered since the server started, or the version came. */
export type VersionTraffic = z.infer<typeof traffic>;
export type PublishedDeployment = z.infer<typeof deployment>;
