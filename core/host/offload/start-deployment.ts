import { join } from 'node:path';

import { HostFigures, machineReadings } from '../../serving';
import { Endpoints, endpointsSchema } from '../endpoints/endpoints';
import { VariantInputs } from '../endpoints/variant-inputs';
import type { EventBus } from '../event-bus';
import type { HostClock } from '../host-clock';
import type { ModelServices } from '../models/model-services';
import { StateFile } from '../state-file';
import type { Log } from '../state-file';
import { DecisionHistory } from './decision-history';
import { DeploymentStore, deploymentSchema } from './deployment-store';
import { DeviceEndpoint } from './device-endpoint';
import { LiveDeployment } from './live-deployment';

export interface DeploymentParts extends ModelServices {
  readonly dataDir: string;
  /** Look at the endpoints all the time: for an engine that serves consoles, not for a command. */
  readonly watches: boolean;
  readonly bus: EventBus;
  readonly clock: HostClock;
  readonly log: Log;
}

export interface Deployment {
  readonly endpoints: Endpoints;
  readonly deployment: LiveDeployment;
  readonly decisions: DecisionHistory;
  readonly close: () => Promise<void>;
}

const SAMPLE_EVERY_MS = 250;

/** Puts together what decides where inferences run. Nothing is written before it is used. */
export function startDeployment(parts: DeploymentParts): Deployment {
  const { dataDir, watches, bus, clock, log, models, planner, loaded } = parts;
  const folder = join(dataDir, 'offload');
  const store = new DeploymentStore(new StateFile(join(dataDir, 'offload.json'), deploymentSchema, log));
  const variants = (): typeof store.current.variants => store.current.variants;
  const inputs = new VariantInputs((model) => models.summary(model));
  const endpoints = new Endpoints({
    file: new StateFile(join(dataDir, 'endpoints.json'), endpointsSchema, log),
    bus,
    clock,
    inputs,
    variants,
    watches,
  });
  const decisions = new DecisionHistory(join(folder, 'decisions.db'), (id) => endpoints.nameOf(id));
  const host = new HostFigures(machineReadings);
  const deployment = new LiveDeployment({
    ...parts,
    folder,
    store,
    device: new DeviceEndpoint({ models, planner, loaded, clock, inputs, variants }),
    endpoints,
    history: decisions,
    deviceFigures: sampled(clock, () => {
      const othersRatio = host.cpuOthersRatio();
      const busy = Number.isNaN(othersRatio) ? {} : { busyPct: othersRatio * 100 };
      return { ...busy, availableBytes: host.availableBytes() };
    }),
  });
  return {
    endpoints,
    decisions,
    deployment,
    close: async () => {
      await deployment.close();
      await endpoints.close();
      decisions.close();
    },
  };
}

/** Every round asks several times; the system is asked only so often, since it answers slower the more processors it has. */
function sampled<T>(clock: HostClock, read: () => T): () => T {
  let last: { readonly atMs: number; readonly value: T } | undefined;
  return () => {
    const nowMs = clock.nowMs();
    if (!last || nowMs - last.atMs >= SAMPLE_EVERY_MS) last = { atMs: nowMs, value: read() };
    return last.value;
  };
}
