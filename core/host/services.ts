import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { z } from 'zod';

import { SluiceError } from '../contract';
import type { EngineInfo, RunRequest } from '../contract';
import { Engine, ModelLibrary, recordMeasurement } from '../layering';
import { ioError } from '../storage';
import { createTelemetry, detectHost } from '../telemetry';
import type { Telemetry } from '../telemetry';
import { appVersion } from './app-root';
import { openDataFolder } from './data-folder';
import type { Endpoints } from './endpoints/endpoints';
import { EventBus } from './event-bus';
import { hasFleet } from './fleet/fleet-file';
import type { FleetService } from './fleet/start-fleet';
import { isoTime, systemClock } from './host-clock';
import type { HostClock } from './host-clock';
import { Jobs } from './jobs';
import type { Language } from './language/start-language';
import { DeploymentRecords } from './lab/deployments/deployment-records';
import { DeviceVariants } from './lab/deployments/device-variants';
import { LabDeployments } from './lab/deployments/lab-deployments';
import type { LabService } from './lab/connection/lab-service';
import { LoadedModels } from './models/loaded-models';
import type { Library } from './models/model-ports';
import type { ModelServices } from './models/model-services';
import { Models } from './models/models';
import type { DecisionHistory } from './offload/decision-history';
import type { LiveDeployment } from './offload/live-deployment';
import { startDeployment } from './offload/start-deployment';
import { PipelineNotes } from './models/pipeline-notes';
import { Planner, storePlanner } from './models/planner';
import { RemovedModels } from './models/removed-models';
import { openTask } from './runs/open-task';
import { RunHistory } from './runs/run-history';
import { Runs } from './runs/runs';
import { TraceFiles } from './runs/trace-files';
import { StateFile } from './state-file';
import type { Log } from './state-file';

export interface ServicesOptions {
  readonly dataDir: string;
  readonly threads: number;
  readonly appRoot: string;
  /**
   * Keep the budget limit over restarts, and follow the runs of other processes: for an engine that serves consoles,
   * not for a command.
   */
  readonly servesConsoles: boolean;
  readonly log: Log;
  readonly clock?: HostClock;
}

/** Everything behind the requests. */
export interface Services extends ModelServices {
  readonly info: EngineInfo;
  readonly appRoot: string;
  readonly bus: EventBus;
  readonly runs: Runs;
  readonly telemetry: Telemetry;
  readonly endpoints: Endpoints;
  readonly deployment: LiveDeployment;
  readonly decisions: DecisionHistory;
  /** Loaded with the first request for it: the others need not wait for its libraries. */
  readonly language: () => Promise<Language>;
  /** What endpoints serve of the lab's registry. */
  readonly labDeployments: LabDeployments;
  /** The lab as this engine reaches it: `(await (await lab()).api()).get(...)`. What changes there comes by `bus`. */
  readonly lab: () => Promise<LabService>;
  /** Loaded with the first request for it, or at once where there are boxes. */
  readonly fleet: () => Promise<FleetService>;
  readonly setBudget: (limitBytes: number) => Promise<void>;
  /** Stops runs and jobs, frees everything, and waits until what is remembered is on disk. */
  readonly close: () => Promise<void>;
}

const settingsSchema = z.object({ budgetLimitBytes: z.number().int().nonnegative() });
type Settings = z.infer<typeof settingsSchema>;

interface Memory {
  readonly settings: StateFile<Settings>;
  readonly history: RunHistory;
}

/**
 * @throws SluiceError `io` when the data folder can't be made, `unsupported` when ONNX Runtime can't be loaded, or a newer
 * Sluice wrote the data folder.
 */
export async function startServices(options: ServicesOptions): Promise<Services> {
  const { dataDir, threads, appRoot, log, clock = systemClock } = options;
  await mkdir(dataDir, { recursive: true }).catch((cause: unknown) => {
    throw ioError(`Can't create the data folder ${dataDir}`, cause);
  });
  await openDataFolder(dataDir, appVersion(appRoot));
  const memory: Memory = {
    settings: new StateFile(join(dataDir, 'settings.json'), settingsSchema, log),
    history: new RunHistory(join(dataDir, 'runs.json'), log),
  };
  const engine = await Engine.start({ threads });
  const library = await ModelLibrary.open(dataDir, engine.info);
  const info: EngineInfo = {
    ...engine.info,
    version: appVersion(appRoot),
    dataDir,
    pid: process.pid,
    startedAt: isoTime(clock.nowMs()),
  };
  const telemetry = createTelemetry({ host: () => detectHost({ dataDir }), log });
  return assemble({ ...options, clock }, { engine, library, info, telemetry }, memory);
}

interface Machinery {
  readonly engine: Engine;
  readonly library: Library;
  readonly info: EngineInfo;
  readonly telemetry: Telemetry;
}

async function assemble(
  { appRoot, servesConsoles, clock, log }: ServicesOptions & { readonly clock: HostClock },
  { engine, library, info, telemetry }: Machinery,
  memory: Memory,
): Promise<Services> {
  const bus = new EventBus();
  const jobs = new Jobs(bus, clock);
  const notes = new PipelineNotes((pipeline) => library.modelFolder(pipeline), log);
  const planner = new Planner(library, storePlanner, notes);
  const loaded = new LoadedModels(engine, (state) => bus.emit('budget', state));
  const removed = new RemovedModels({ library, bus, clock, log });
  const models = new Models({
    library,
    engine,
    loaded,
    jobs,
    bus,
    removed,
    appRoot,
    threads: info.threads,
    dataDir: info.dataDir,
    log,
  });
  const settings = servesConsoles ? memory.settings.read() : undefined;
  await loaded.setLimit(settings?.budgetLimitBytes ?? 0);
  const runs = new Runs({
    bus,
    clock,
    log,
    history: memory.history,
    traces: new TraceFiles(join(info.dataDir, 'traces'), log),
    plan: (request) => planRun(planner, models, loaded, request),
    open: (request, plan) =>
      openTask(
        {
          models: loaded,
          appRoot,
          labelsBeside: (model) => library.sourcePath(model),
          onRegions: (model, regions) => notes.setRegions(model, regions),
        },
        models.summary(request.model),
        request.input,
        plan,
      ),
    recordMeasurement: async ({ detail, demands }, point) => {
      const [only, ...others] = demands;
      if (only && others.length === 0) await recordMeasurement(only.storePath, point);
      else notes.addMeasurement(detail.model, point);
    },
  });
  const { close: closeDeployment, ...deployment } = startDeployment({
    models,
    planner,
    loaded,
    jobs,
    bus,
    clock,
    log,
    dataDir: info.dataDir,
    watches: servesConsoles,
  });
  const labDeployments = new LabDeployments({
    records: new DeploymentRecords(info.dataDir, log),
    endpoints: deployment.endpoints,
    device: new DeviceVariants({ models, deployment: deployment.deployment }),
    dataDir: info.dataDir,
    log,
    onChange: () => bus.emit('labChange', { parts: ['deployments', 'models'] }),
  });
  let language: Promise<Language> | undefined;
  const startLanguage = async (): Promise<Language> => {
    const { startLanguage: start } = await import('./language/start-language');
    const { pullForConsole } = await import('./language/library/pull-for-console');
    const { dataDir, threads } = info;
    const pullModel = pullForConsole(dataDir, process.env);
    return start({ dataDir, threads, loaded, jobs, bus, clock, log, pullModel });
  };
  let lab: Promise<LabService> | undefined;
  const openLab = async (): Promise<LabService> => {
    const { LabService: Service } = await import('./lab/connection/lab-service');
    return new Service({
      dataDir: info.dataDir,
      env: process.env,
      clock,
      log,
      onStatus: (status) => bus.emit('lab', status),
      onChange: (parts) => bus.emit('labChange', { parts }),
    });
  };
  let fleet: Promise<FleetService> | undefined;
  const openFleet = async (): Promise<FleetService> => {
    const { startFleet } = await import('./fleet/start-fleet');
    const { dataDir, version } = info;
    const { env } = process;
    return startFleet({
      dataDir,
      appRoot,
      version,
      models,
      jobs,
      bus,
      resumesPushes: servesConsoles,
      env,
      log,
      clock,
    });
  };
  const theFleet = (): Promise<FleetService> => (fleet ??= openFleet());
  if (servesConsoles && hasFleet(info.dataDir)) {
    theFleet().catch((thrown: unknown) => log(`fleet: ${SluiceError.from(thrown).message}`));
  }
  const unfollow = servesConsoles ? memory.history.follow(() => runs.tellOthers()) : () => undefined;
  return {
    info,
    appRoot,
    bus,
    jobs,
    models,
    planner,
    loaded,
    runs,
    telemetry,
    ...deployment,
    language: () => (language ??= startLanguage()),
    labDeployments,
    lab: () => (lab ??= openLab()),
    fleet: theFleet,
    setBudget: async (limitBytes) => {
      await loaded.setLimit(limitBytes);
      if (servesConsoles) memory.settings.change(() => ({ budgetLimitBytes: limitBytes }));
    },
    close: async () => {
      unfollow();
      await fleet?.then((each) => each.close()).catch(() => undefined); // told when it failed
      await closeDeployment();
      await Promise.all([jobs.cancelAll(), runs.stopAll(), language?.then(({ close }) => close())]);
      await lab?.then((service) => service.close());
      await loaded.closeAll();
      await engine.close();
      await Promise.all([memory.settings.settled(), memory.history.settled(), notes.settled()]);
      await removed.discardAll();
    },
  };
}

/** Refuses what can't run: unknown, stale or broken models, too small a budget, no room beside the others. */
function planRun(
  planner: Planner,
  models: Models,
  loaded: LoadedModels,
  request: RunRequest,
): ReturnType<Planner['plan']> {
  const summary = models.summary(request.model);
  if (summary.state !== 'ready') {
    throw new SluiceError(
      summary.state === 'stale' ? 'stale-store' : 'corrupt-store',
      `${summary.name} can't run: ${summary.stateReason ?? summary.state}`,
      { name: summary.name },
    );
  }
  const plan = planner.plan(request.model, request.mode, request.budgetBytes ?? Infinity);
  loaded.checkRoom(plan.demands);
  return plan;
}
