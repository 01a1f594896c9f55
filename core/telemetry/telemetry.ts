import type { DeviceInfo, TelemetryBatch } from '../contract';
import { SampleQueue } from './sample-queue';
import { SamplerSet } from './sampler-set';
import type { LogProblem } from './sampler-set';
import { systemTelemetryClock } from './sampler';
import type { MissingSampler, Sampler, TelemetryClock } from './sampler';

/**
 * Takes a batch and owns its arrays. `false`: it can't be taken now (the connection is clogged); the samples stay
 * queued, bounded, and come again with the next batch.
 */
export type TelemetryListener = (batch: TelemetryBatch) => boolean | void;

/** What this machine offers: made once by `detectHost`. */
export interface TelemetryHost {
  readonly samplers: readonly Sampler[];
  readonly missing: readonly MissingSampler[];
  readonly device: DeviceInfo;
}

export interface TelemetryOptions {
  /** Called at the first need: finding disks and GPUs takes some ms. */
  readonly host: () => Promise<TelemetryHost>;
  readonly clock?: TelemetryClock;
  /** Time between samples, ms. */
  readonly intervalMs?: number;
  /** A batch is sent when its oldest sample is this old, ms: with an interval above it, every sample at once. */
  readonly batchMs?: number;
  /** Samples kept for a receiver that can't take them. */
  readonly queueCapacity?: number;
  readonly log?: LogProblem;
}

export interface Telemetry {
  /** Starts sampling for the first subscriber; without any, nothing is read. @returns ends the subscription. */
  subscribe(listener: TelemetryListener): () => void;
  deviceInfo(): Promise<DeviceInfo>;
}

interface Subscription {
  readonly listener: TelemetryListener;
  readonly queue: SampleQueue;
}

/** Samples the host while somebody listens. Batches of one subscription arrive in order. */
export function createTelemetry(options: TelemetryOptions): Telemetry {
  const { clock = systemTelemetryClock, intervalMs = 250, batchMs = 100, queueCapacity = 256 } = options;
  const log = options.log ?? (() => undefined);
  const subscriptions = new Set<Subscription>();
  let found: Promise<{ host: TelemetryHost; samplers: SamplerSet }> | undefined;
  let stop: (() => void) | undefined;

  const host = (): NonNullable<typeof found> => {
    found ??= options.host().then((detected) => {
      for (const absent of detected.missing) log(`${absent.name}: ${absent.reason}`);
      return { host: detected, samplers: new SamplerSet(detected.samplers, clock, log) };
    });
    return found;
  };

  const start = (): void => {
    let stopped = false;
    let stopTicks = (): void => undefined;
    stop = () => {
      stopped = true;
      stopTicks();
    };
    host().then(
      ({ samplers }) => {
        if (stopped) return;
        samplers.restart();
        const tick = (): void => {
          samplers.tick((timeMs, readings) => {
            if (stopped) return;
            for (const { queue } of subscriptions) queue.push(timeMs, readings);
            for (const subscription of [...subscriptions]) deliver(subscription, timeMs);
          });
        };
        stopTicks = clock.every(intervalMs, tick);
        tick();
      },
      (error: unknown) => {
        found = undefined;
        log(`telemetry could not look at this machine: ${String(error)}`);
      },
    );
  };

  const deliver = (subscription: Subscription, nowMs: number): void => {
    const { queue, listener } = subscription;
    // A sample that would be late by the next tick goes out with this one.
    if (queue.length === 0 || nowMs - queue.oldestMs + intervalMs <= batchMs) return;
    if (listener(queue.peek()) !== false) queue.clear();
  };

  return {
    subscribe(listener) {
      const subscription = { listener, queue: new SampleQueue(queueCapacity) };
      subscriptions.add(subscription);
      if (subscriptions.size === 1) start();
      return () => {
        subscriptions.delete(subscription);
        if (subscriptions.size > 0) return;
        stop?.();
        stop = undefined;
      };
    },
    async deviceInfo() {
      return (await host()).host.device;
    },
  };
}
