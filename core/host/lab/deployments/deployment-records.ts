import { join } from 'node:path';

import { z } from 'zod';

import type { PublishedDeployment } from '../../../serving';
import { StateFile } from '../../state-file';
import type { Log } from '../../state-file';

const traffic = z.object({ version: z.int(), sharePct: z.number() });
const recordSchema = z.object({
  url: z.string(),
  endpointName: z.string(),
  servedAs: z.string(),
  model: z.string(),
  /** As it was when it was last seen. */
  stable: traffic,
  canary: traffic.exactOptional(),
  previousVersion: z.int().exactOptional(),
  /** Where the command line finds the endpoint's token. */
  tokenFile: z.string().exactOptional(),
  /** How often versions are right, of those that are to be variants of the offload agent; by their number. */
  variants: z.record(z.string(), z.object({ accuracyPct: z.number(), source: z.string() })),
  /** The version that this device has as a variant. */
  deviceVersion: z.int().exactOptional(),
});
const recordsSchema: z.ZodType<readonly DeploymentRecord[]> = z.array(recordSchema);

export type DeploymentRecord = Readonly<z.infer<typeof recordSchema>>;

/** What this data folder has published, and where. */
export class DeploymentRecords {
  private readonly file: StateFile<readonly DeploymentRecord[]>;

  constructor(dataDir: string, log: Log) {
    this.file = new StateFile(join(dataDir, 'deployments.json'), recordsSchema, log);
  }

  list(): readonly DeploymentRecord[] {
    return this.file.read() ?? [];
  }

  find(url: string, servedAs: string): DeploymentRecord | undefined {
    return this.list().find((record) => isOf(record, url, servedAs));
  }

  put(record: DeploymentRecord): void {
    this.file.change((records = []) => [
      ...records.filter((one) => !isOf(one, record.url, record.servedAs)),
      record,
    ]);
  }

  remove(url: string, servedAs: string): void {
    this.file.change((records = []) => records.filter((record) => !isOf(record, url, servedAs)));
  }

  /** Resolves when all of it is on disk. */
  settled(): Promise<void> {
    return this.file.settled();
  }
}

/** What is remembered of a deployment beside what its console knows. */
export function seenOf({
  servedAs,
  model,
  stable,
  canary,
  previousVersion,
}: PublishedDeployment): Pick<
  DeploymentRecord,
  'servedAs' | 'model' | 'stable' | 'canary' | 'previousVersion'
> {
  return {
    servedAs,
    model,
    stable: shareOf(stable),
    ...(canary && { canary: shareOf(canary) }),
    ...(previousVersion !== undefined && { previousVersion }),
  };
}

/** What is known of versions, with what is said of one now; nothing: that it is no variant. */
export function variantsWith(
  known: DeploymentRecord['variants'] = {},
  version: number,
  variant: DeploymentRecord['variants'][string] | undefined,
): DeploymentRecord['variants'] {
  const others = Object.entries(known).filter(([number]) => number !== String(version));
  return Object.fromEntries([...others, ...(variant ? [[String(version), variant] as const] : [])]);
}

function shareOf({ version, sharePct }: PublishedDeployment['stable']): DeploymentRecord['stable'] {
  return { version, sharePct };
}

function isOf(record: DeploymentRecord, url: string, servedAs: string): boolean {
  return record.url === url && record.servedAs === servedAs;
}
