export { detectHost } from './detect-host';
export type { DetectOptions } from './detect-host';
export { systemTelemetryClock } from './sampler';
export type { HostRoots, MissingSampler, Readings, Sampler, TelemetryClock } from './sampler';
export { createTelemetry } from './telemetry';
export type { Telemetry, TelemetryHost, TelemetryListener, TelemetryOptions } from './telemetry';
