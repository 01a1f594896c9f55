import { z } from 'zod';

import type { DeploymentSettings } from '../../contract';
import type { StateFile } from '../state-file';

/** A variant as it was registered. */
export interface RegisteredVariant {
  readonly id: string;
  readonly model: string;
  readonly title: string;
  readonly accuracyPct: number;
  readonly source: string;
}

/** What is remembered of the deployment between starts. */
export interface StoredDeployment {
  readonly settings: DeploymentSettings;
  readonly variants: readonly RegisteredVariant[];
}

/** Request streams of one box; joint actions of more are for simulations. */
export const MAX_USERS = 32;
/** A day: longer ones are mistakes of units, and none that a timer takes. */
export const MAX_PERIOD_MS = 86_400_000;

export const deploymentSchema: z.ZodType<StoredDeployment> = z.object({
  settings: z.object({
    users: z.number().int().min(1).max(MAX_USERS),
    thresholdPct: z.number().min(0).max(100),
    agent: z.string(),
    periodMs: z.number().nonnegative().max(MAX_PERIOD_MS),
    explorationCap: z.number().min(0).max(1),
  }),
  variants: z.array(
    z.object({
      id: z.string(),
      model: z.string(),
      title: z.string(),
      accuracyPct: z.number(),
      source: z.string(),
    }),
  ),
});

const NEW_DEPLOYMENT: StoredDeployment = {
  settings: { users: 1, thresholdPct: 85, agent: 'factored', periodMs: 200, explorationCap: 0.1 },
  variants: [],
};

/** The deployment as it is set up: kept in memory, and on disk soon after each change. */
export class DeploymentStore {
  private stored: StoredDeployment;

  constructor(private readonly file: StateFile<StoredDeployment>) {
    this.stored = file.read() ?? NEW_DEPLOYMENT;
  }

  get current(): StoredDeployment {
    return this.stored;
  }

  change(change: Partial<StoredDeployment>): void {
    const changed = { ...this.stored, ...change };
    this.stored = changed;
    this.file.change(() => changed);
  }

  settled(): Promise<void> {
    return this.file.settled();
  }
}
