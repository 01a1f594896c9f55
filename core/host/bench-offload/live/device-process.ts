/** Entry of the process that plays the device in the live run of `sluice bench offload`. */
import { median } from '../../../base';
import { SluiceError } from '../../../contract';
import type { NewEndpoint, TierName } from '../../../contract';
import type { LiveEndpoint } from '../../../offload';
import { findAppRoot } from '../../app-root';
import { obey } from '../../bench/commanded-process';
import { Endpoints, endpointsSchema } from '../../endpoints/endpoints';
import { VariantInputs } from '../../endpoints/variant-inputs';
import { threadsOf } from '../../environment';
import { systemClock } from '../../host-clock';
import type { RegisteredVariant } from '../../offload/deployment-store';
import { DeviceEndpoint } from '../../offload/device-endpoint';
import { installExampleVariants } from '../../offload/example-variants';
import { systemVariant } from '../../offload/variants';
import { startServices } from '../../services';
import type { Services } from '../../services';
import { StateFile } from '../../state-file';
import type { AloneTime, DeviceCommand, RoundBegun, RoundRecord, StrategySettings } from './live-protocol';
import { StrategyRun } from './strategy-run';
import type { StrategyRunParts } from './strategy-run';

function log(message: string): void {
  process.stderr.write(`device: ${message}\n`);
}

/** The device: its engine, its links to the other tiers, and the strategies that decide on it. */
class Device {
  private readonly strategies = new Map<string, StrategyRun>();
  private remote: readonly NewEndpoint[] = [];

  private constructor(
    private readonly services: Services,
    private readonly scratchDir: string,
    readonly variants: readonly RegisteredVariant[],
    private readonly endpoint: DeviceEndpoint,
    private readonly inputs: VariantInputs,
  ) {}

  static async prepare({
    dataDir,
    scratchDir,
    variants: named,
  }: Extract<DeviceCommand, { kind: 'prepare' }>): Promise<Device> {
    const services = await startServices({
      dataDir,
      threads: threadsOf(process.env),
      appRoot: findAppRoot(__dirname),
      servesConsoles: false,
      log,
    });
    const { models } = services;
    const variants = named ?? (await installExampleVariants({ ...services, dataDir }, 'example'));
    await services.loaded.keepIdle(variants.length);
    const inputs = new VariantInputs((model) => models.summary(model));
    const endpoint = new DeviceEndpoint({
      ...services,
      clock: systemClock,
      inputs,
      variants: () => variants,
    });
    return new Device(services, scratchDir, variants, endpoint, inputs);
  }

  connect(endpoints: readonly NewEndpoint[]): void {
    this.remote = endpoints;
  }

  async timeAlone(repeats: number, tiers: readonly TierName[]): Promise<readonly AloneTime[]> {
    const endpoints = new Endpoints({
      ...this.parts(),
      file: new StateFile(`${this.scratchDir}/alone-${systemClock.nowMs()}.json`, endpointsSchema, log),
      clock: systemClock,
      watches: false,
    });
    try {
      for (const endpoint of this.remote) await endpoints.add(endpoint);
      const all: readonly LiveEndpoint[] = [this.endpoint, ...endpoints.all()];
      const times: AloneTime[] = [];
      for (const endpoint of all.filter(({ tier }) => tiers.includes(tier))) {
        for (const { id } of this.variants) times.push(await timeOne(endpoint, id, repeats));
      }
      return times;
    } finally {
      await endpoints.close();
    }
  }

  async open(settings: StrategySettings): Promise<void> {
    const { id, learnedBy } = settings;
    const learned = learnedBy === undefined ? undefined : this.strategy(learnedBy).checkpoint();
    this.strategies.set(id, await StrategyRun.open(settings, this.parts(), learned));
  }

  rounds(strategy: string, pausesMs: readonly number[]): Promise<readonly RoundRecord[]> {
    return this.strategy(strategy).rounds(pausesMs, (chosen) => {
      const begun: RoundBegun = { event: 'begun', chosen };
      process.send?.(begun);
    });
  }

  async close(): Promise<void> {
    for (const strategy of this.strategies.values()) await strategy.close();
    await this.services.close();
  }

  private strategy(id: string): StrategyRun {
    const strategy = this.strategies.get(id);
    if (!strategy) throw new SluiceError('internal', `No strategy ${id} is open.`);
    return strategy;
  }

  private parts(): StrategyRunParts {
    const { services, endpoint, inputs, variants, remote, scratchDir } = this;
    return {
      bus: services.bus,
      inputs,
      variants: () => variants,
      device: endpoint,
      systemVariants: variants.map((variant) => systemVariant(variant, services.models, services.planner)),
      remote,
      scratchDir,
      log,
    };
  }
}

async function timeOne(endpoint: LiveEndpoint, variant: string, repeats: number): Promise<AloneTime> {
  const timesMs: number[] = [];
  const { signal } = new AbortController();
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    timesMs.push((await endpoint.infer(0, variant, signal)).responseMs);
  }
  return { tier: endpoint.tier, variant, medianMs: median(timesMs) };
}

let prepared: Device | undefined;

function device(): Device {
  if (!prepared) throw new SluiceError('internal', 'The device is not prepared.');
  return prepared;
}

async function handle(command: DeviceCommand): Promise<unknown> {
  switch (command.kind) {
    case 'prepare':
      prepared = await Device.prepare(command);
      return { variants: prepared.variants };
    case 'connect':
      device().connect(command.endpoints);
      return undefined;
    case 'time-alone':
      return device().timeAlone(command.repeats, command.tiers);
    case 'open':
      return device().open(command.strategy);
    case 'rounds':
      return device().rounds(command.strategy, command.pausesMs);
    case 'end':
      return prepared?.close();
  }
}

obey(handle, ({ kind }) => kind === 'end');
