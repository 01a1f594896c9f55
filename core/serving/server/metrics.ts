import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

import type { ErrorCode } from '../../contract';
import type { HostFigures } from './host-figures';
import type { QueueState } from './request-queue';
import type { RequestTimes } from './statistics';

/** Bucket borders from a small network in memory to a large one streamed from a slow disk. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Prometheus figures of one server, in a registry of its own. */
export class ServingMetrics {
  readonly registry = new Registry();
  private readonly requests: Counter<'model' | 'outcome'>;
  private readonly queueSeconds: Histogram<'model'>;
  private readonly computeSeconds: Histogram<'model'>;

  /** @param queue its state when the figures are read. */
  constructor(tier: string, queue: () => QueueState, host: HostFigures) {
    const { registry } = this;
    const registers = [registry];
    registry.setDefaultLabels({ tier });
    collectDefaultMetrics({ register: registry });
    this.requests = new Counter({
      name: 'sluice_serving_requests_total',
      help: 'Inference requests by outcome: ok, or the error code.',
      labelNames: ['model', 'outcome'],
      registers,
    });
    const histogram = (name: string, help: string): Histogram<'model'> =>
      new Histogram({ name, help, labelNames: ['model'], buckets: SECONDS, registers });
    this.queueSeconds = histogram('sluice_serving_queue_seconds', 'Time requests waited for the engine.');
    this.computeSeconds = histogram('sluice_serving_compute_seconds', 'Time models ran.');
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

  succeeded(model: string, { queueMs, computeMs }: RequestTimes): void {
    this.requests.inc({ model, outcome: 'ok' });
    this.queueSeconds.observe({ model }, queueMs / 1000);
    this.computeSeconds.observe({ model }, computeMs / 1000);
  }

  failed(model: string, code: ErrorCode): void {
    this.requests.inc({ model, outcome: code });
  }

  /** In Prometheus' text format. */
  text(): Promise<string> {
    return this.registry.metrics();
  }
}
