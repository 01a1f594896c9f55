import { cpus, hostname, totalmem } from 'node:os';
import type { DeviceInfo } from '../contract';
import { findDisk } from './disk-device';
import type { DiskDevice } from './disk-device';
import { diskSampler } from './disk';
import { GPU_LOOKED_FOR, findGpu, runCommand } from './gpu';
import type { Gpu, RunCommand } from './gpu';
import { cpuSampler, engineIoSampler, engineSampler, memorySampler, ownProcessUsage } from './linux-host';
import { cpuTitle, osTitle } from './machine-names';
import {
  portableCpuSampler,
  portableDiskSampler,
  portableEngineSampler,
  portableMemorySampler,
} from './portable-host';
import { HOST_ROOTS, systemTelemetryClock } from './sampler';
import type { HostRoots, MissingSampler, Sampler, TelemetryClock } from './sampler';
import type { TelemetryHost } from './telemetry';

export interface DetectOptions {
  /** The disk that holds this directory is the one watched. */
  readonly dataDir: string;
  readonly clock?: TelemetryClock;
  readonly roots?: HostRoots;
  readonly platform?: NodeJS.Platform;
  /** Where to look for `nvidia-smi`, as in PATH. */
  readonly searchPath?: string;
  readonly command?: RunCommand;
  /** Device number of a path; replaced in tests. */
  readonly deviceOf?: (path: string) => number;
}

/** Looks once at what this machine can tell: which files exist, which disk, which GPU, its name. */
export async function detectHost(options: DetectOptions): Promise<TelemetryHost> {
  const { platform = process.platform, roots = HOST_ROOTS, clock = systemTelemetryClock } = options;
  const samplers: Sampler[] = [];
  const missing: MissingSampler[] = [];
  const gpu = await findGpu(
    roots,
    options.searchPath ?? process.env['PATH'] ?? '',
    options.command ?? runCommand,
  );
  let disk: DiskDevice | undefined;
  if (platform === 'linux') {
    samplers.push(cpuSampler(roots), memorySampler(roots));
    samplers.push(engineSampler(roots, clock), engineIoSampler(roots, clock));
    try {
      disk = findDisk(options.dataDir, roots, options.deviceOf);
      samplers.push(diskSampler(disk, clock));
    } catch (error) {
      missing.push(noDisk(options.dataDir, error));
    }
  } else {
    samplers.push(portableCpuSampler(), portableMemorySampler(platform));
    samplers.push(portableEngineSampler(clock, ownProcessUsage), portableDiskSampler());
    missing.push(...LINUX_ONLY);
  }
  if (gpu) samplers.push(gpu.sampler);
  missing.push(...missingGpuFigures(gpu));
  return { samplers, missing, device: { ...(await describeDevice(disk, gpu)), missing } };
}

const LINUX_ONLY: readonly MissingSampler[] = [
  {
    name: 'disk queue',
    series: ['diskQueue', 'diskBusyPct'],
    lookedFor: '/sys/block/*/stat',
    reason: 'only Linux exposes it',
  },
  {
    name: 'engine reads',
    series: ['engineReadBytesPerSec', 'engineAnonBytes'],
    lookedFor: '/proc/self/io, /proc/self/status',
    reason: 'only Linux exposes it',
  },
];

function noDisk(dataDir: string, error: unknown): MissingSampler {
  return {
    name: 'disk',
    series: ['diskReadBytesPerSec', 'diskWriteBytesPerSec', 'diskQueue', 'diskBusyPct'],
    lookedFor: `the block device of ${dataDir} in /sys/dev/block, /proc/self/mountinfo and /sys/block`,
    reason: error instanceof Error ? error.message : String(error),
  };
}

function missingGpuFigures(gpu: Gpu | undefined): MissingSampler[] {
  if (!gpu) {
    const reason = 'no GPU that tells its use was found';
    return [{ name: 'gpu', series: ['gpuPct', 'gpuMemUsedBytes'], lookedFor: GPU_LOOKED_FOR, reason }];
  }
  if (gpu.sampler.series.includes('gpuMemUsedBytes')) return [];
  const reason =
    gpu.info.source === 'tegra' ? 'the GPU shares the machine’s memory' : 'the driver has no such file';
  return [{ name: 'gpu memory', series: ['gpuMemUsedBytes'], lookedFor: 'mem_info_vram_used', reason }];
}

async function describeDevice(disk: DiskDevice | undefined, gpu: Gpu | undefined): Promise<DeviceInfo> {
  const [os, processor] = await Promise.all([osTitle(), cpuTitle()]);
  return {
    hostname: hostname(),
    os,
    cpu: processor,
    cores: cpus().length,
    memTotalBytes: totalmem(),
    disk: disk ? diskTitle(disk.name, disk.model, disk.sizeBytes) : await portableDiskTitle(),
    ...(gpu ? { gpu: gpu.info } : {}),
  };
}

async function portableDiskTitle(): Promise<string> {
  const { diskLayout } = await import('systeminformation');
  const [first] = await diskLayout();
  return first ? diskTitle(first.device, first.name, first.size) : 'unknown disk';
}

/** Disks are sold in decimal units, so they are named in them. */
function diskTitle(name: string, model: string | undefined, sizeBytes: number): string {
  const size = Number.isFinite(sizeBytes) ? `${(sizeBytes / 1e9).toFixed(0)} GB` : '';
  return [name, model, size].filter(Boolean).join(' · ');
}
