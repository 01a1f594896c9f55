import { formatBytes } from '../../base';

import type { JobResources } from './job-engine';

export function fits(wanted: JobResources, free: JobResources): boolean {
  return wanted.cpus <= free.cpus && wanted.gpus <= free.gpus && wanted.memoryBytes <= free.memoryBytes;
}

/** Never less than nothing. */
export function subtract(from: JobResources, taken: JobResources): JobResources {
  return {
    // Sums of tenths of processors come out a little off.
    cpus: Math.max(0, Math.round((from.cpus - taken.cpus) * 1000) / 1000),
    gpus: Math.max(0, from.gpus - taken.gpus),
    memoryBytes: Math.max(0, from.memoryBytes - taken.memoryBytes),
  };
}

/** What does not fit of `wanted`, for people: `2 CPUs and 1 GPU`; '' when all does. */
export function missingOf(wanted: JobResources, free: JobResources): string {
  const missing: string[] = [];
  if (wanted.cpus > free.cpus) missing.push(`${wanted.cpus} CPU${wanted.cpus === 1 ? '' : 's'}`);
  if (wanted.gpus > free.gpus) missing.push(`${wanted.gpus} GPU${wanted.gpus === 1 ? '' : 's'}`);
  if (wanted.memoryBytes > free.memoryBytes) missing.push(`${formatBytes(wanted.memoryBytes)} of memory`);
  return missing.join(' and ');
}
