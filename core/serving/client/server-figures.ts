import { parseMetricsText } from './metrics-text';
import type { MetricSample } from './metrics-text';

/** What a server tells of itself and its machine, each where it tells it. */
export interface ServerFigures {
  /** Requests waiting there. */
  readonly queueLength?: number;
  readonly queueCapacity?: number;
  /** Share of its machine's processors that other processes use, 0..100. */
  readonly busyPct?: number;
  /** Memory its machine could still give. */
  readonly availableBytes?: number;
}

/** Sluice's own name first, then Triton's, which is told by model. */
const QUEUE_LENGTH = ['sluice_serving_queue_length', 'nv_inference_pending_request_count'];

/** @param text of a server's `/metrics`. @returns undefined when it tells none of the figures. */
export function serverFiguresOf(text: string): ServerFigures | undefined {
  const samples = parseMetricsText(text) ?? [];
  const queueLength = QUEUE_LENGTH.map((name) => sumOf(samples, name)).find((sum) => sum !== undefined);
  const queueCapacity = sumOf(samples, 'sluice_serving_queue_capacity');
  const othersRatio = sumOf(samples, 'sluice_host_cpu_others_ratio');
  const availableBytes = sumOf(samples, 'sluice_host_memory_available_bytes');
  const figures = {
    ...(queueLength !== undefined && { queueLength }),
    ...(queueCapacity !== undefined && { queueCapacity }),
    ...(othersRatio !== undefined && { busyPct: Math.min(100, othersRatio * 100) }),
    ...(availableBytes !== undefined && { availableBytes }),
  };
  return Object.keys(figures).length === 0 ? undefined : figures;
}

/** Over all labels. A gauge without a figure is written as NaN; none of these can be negative. */
function sumOf(samples: readonly MetricSample[], name: string): number | undefined {
  const values = samples.filter((sample) => sample.name === name).map(({ value }) => value);
  const sum = values.reduce((total, value) => total + value, 0);
  return values.length > 0 && Number.isFinite(sum) && sum >= 0 ? sum : undefined;
}
