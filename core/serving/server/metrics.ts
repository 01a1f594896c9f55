import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

import type { ErrorCode } from '../../contract';
import type { HostFigures } from './host-figures';
import type { QueueState } from './request-queue';
import type { Latency } from './latency-window';
import type { RequestTimes, VersionName } from './statistics';

const VERSION_LABELS = ['model', 'version'] as const;
type VersionLabel = (typeof VERSION_LABELS)[number];

/** Bucket borders from a small network in memory to a large one streamed from a slow disk. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Of a version that has answered. */
export interface VersionLatency extends VersionName {
  readonly latency: Latency;
}

/** Prometheus figures of one server, in a registry of its own. */
export class ServingMetrics {
  readonly registry = new Registry();
  private readonly requests: Counter<VersionLabel | 'outcome'>;
  private readonly queueSeconds: Histogram<VersionLabel>;
  private readonly computeSeconds: Histogram<VersionLabel>;

  /** @param queue, latencies: as they are when the figures are read. */
  constructor(
    tier: string,
    queue: () => QueueState,
    latencies: () => readonly VersionLatency[],
    host: HostFigures,
  ) {
    const { registry } = this;
    const registers = [registry];
    registry.setDefaultLabels({ tier });
    collectDefaultMetrics({ register: registry });
    this.requests = new Counter({
      name: 'sluice_serving_requests_total',
      help: 'Inference requests by outcome: ok, or the error code.',
      labelNames: [...VERSION_LABELS, 'outcome'],
      registers,
    });
    const histogram = (name: string, help: string): Histogram<VersionLabel> =>
      new Histogram({ name, help, labelNames: VERSION_LABELS, buckets: SECONDS, registers });
    this.queueSeconds = histogram('sluice_serving_queue_seconds', 'Time requests waited for the engine.');
    this.computeSeconds = histogram('sluice_serving_compute_seconds', 'Time models ran.');
    addLatencies(registry, latencies);
    const gauge = (name: string, help: string, read: () => number): Gauge =>
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read());
        },
      });
    gauge('sluice_serving_queue_length', 'Requests waiting.', () => queue().waiting);
    gauge('sluice_serving_queue_capacity', 'Requests that may wait.', () => queue().capacity);
    gauge('sluice_host_cpu_others_ratio', "Share of the machine's processors that other processes use.", () =>
      host.cpuOthersRatio(),
    );
    gauge('sluice_host_memory_available_bytes', 'Memory the machine could still give.', () =>
      host.availableBytes(),
    );
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  succeeded({ name: model, version }: VersionName, { queueMs, computeMs }: RequestTimes): void {
    this.requests.inc({ model, version, outcome: 'ok' });
    this.queueSeconds.observe({ model, version }, queueMs / 1000);
    this.computeSeconds.observe({ model, version }, computeMs / 1000);
  }

  failed({ name: model, version }: VersionName, code: ErrorCode): void {
    this.requests.inc({ model, version, outcome: code });
  }

  /** In Prometheus' text format. */
  text(): Promise<string> {
    return this.registry.metrics();
  }
}

/** Versions that are gone are no longer shown. */
function addLatencies(registry: Registry, latencies: () => readonly VersionLatency[]): void {
  new Gauge({
    name: 'sluice_serving_latency_seconds',
    help: 'Median and 95th percentile of the last requests that were answered, waiting included.',
    labelNames: [...VERSION_LABELS, 'quantile'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { name: model, version, latency } of latencies()) {
        this.set({ model, version, quantile: '0.5' }, latency.medianMs / 1000);
        this.set({ model, version, quantile: '0.95' }, latency.p95Ms / 1000);
      }
    },
  });
}
