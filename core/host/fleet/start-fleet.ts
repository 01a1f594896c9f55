import { basename, join } from 'node:path';

import { systemClock } from '../../base';
import type { Clock } from '../../base';
import type { EventBus } from '../event-bus';
import type { Jobs } from '../jobs';
import { StateFile } from '../state-file';
import type { Log } from '../state-file';
import { FLEET_TIMES } from './fleet-times';
import type { FleetTimes } from './fleet-times';
import { dialBox } from './box-socket';
import { BoxTokens, tokensFileOf } from './box-tokens';
import { Fleet } from './fleet';
import { fleetFileOf } from './fleet-file';
import { fleetSchema } from './known-box';
import { ModelSources } from './model-sources';
import type { NetworkLibrary } from './model-sources';
import { PushRecords, pushesSchema } from './push-records';
import { Pushes } from './pushes';
import { uploadFile } from './upload-file';

export interface FleetOptions {
  readonly dataDir: string;
  readonly appRoot: string;
  readonly version: string;
  readonly models: NetworkLibrary;
  readonly jobs: Pick<Jobs, 'run'>;
  readonly bus: Pick<EventBus, 'emit'>;
  /** Goes on with pushes that others left: for an engine that serves consoles, not for a command. */
  readonly resumesPushes: boolean;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  readonly clock?: Clock;
  readonly times?: FleetTimes;
}

/** Other machines that run `sluice host`, and what is sent to them. */
export interface FleetService {
  readonly boxes: Fleet;
  readonly pushes: Pushes;
  /** As a job. @returns its path on the box. @throws SluiceError as `uploadFile`; `not-found` for the box; `conflict`. */
  readonly sendFile: (jobId: string, box: string, path: string) => Promise<string>;
  readonly close: () => Promise<void>;
}

/** Attaches to the boxes of a data folder. */
export function startFleet(options: FleetOptions): FleetService {
  const { dataDir, appRoot, version, env, models, jobs, bus, log, resumesPushes } = options;
  const { times = FLEET_TIMES, clock = systemClock } = options;
  const boxes = new Fleet({
    version,
    bus,
    log,
    clock,
    times,
    // Only spreads attempts over time.
    random: Math.random,
    dial: dialBox,
    file: new StateFile(fleetFileOf(dataDir), fleetSchema, log),
    tokens: new BoxTokens(tokensFileOf(env), log),
  });
  const pushes = new Pushes({
    fleet: boxes,
    sources: new ModelSources(models, dataDir, appRoot),
    records: new PushRecords(new StateFile(join(dataDir, 'fleet-pushes.json'), pushesSchema, log)),
    bus,
    clock,
    log,
  });
  const resuming = resumesPushes
    ? pushes.resume().catch((thrown: unknown) => log(`fleet: ${String(thrown)}`))
    : Promise.resolve();
  return {
    boxes,
    pushes,
    sendFile: (jobId, box, path) => {
      const { target } = boxes.box(box);
      const name = basename(path);
      return jobs.run({ id: jobId, kind: 'push', subject: name }, (report, signal) =>
        uploadFile({
          target,
          path,
          name,
          signal,
          onBytes: (doneBytes, totalBytes) => report({ phase: 'send', doneBytes, totalBytes }),
        }),
      );
    },
    close: async () => {
      await resuming;
      await pushes.close();
      await boxes.close();
    },
  };
}
