import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, readdirSync, realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import type { DeviceInfo } from '../contract';
import { readTrimmed } from './disk-device';
import type { HostRoots, Sampler } from './sampler';

/** A GPU whose use can be read. */
export interface Gpu {
  readonly info: NonNullable<DeviceInfo['gpu']>;
  readonly sampler: Sampler;
}

/** Runs a command and returns its stdout. @throws when it fails or takes longer than `timeoutMs`. */
export type RunCommand = (file: string, args: readonly string[], timeoutMs: number) => Promise<string>;

const run = promisify(execFile);
export const runCommand: RunCommand = async (file, args, timeoutMs) => {
  const { stdout } = await run(file, [...args], { timeout: timeoutMs, windowsHide: true });
  return stdout;
};

export const GPU_LOOKED_FOR =
  'nvidia-smi on PATH; /sys/devices/gpu.0/load, /sys/devices/platform/**/*.gpu/load and /sys/class/devfreq (Tegra); ' +
  '/sys/class/drm/card*/device/gpu_busy_percent (DRM)';

const NVIDIA_SMI_TIMEOUT_MS = 5000;

/** @returns the first GPU that can be read: Tegra and DRM by files, then `nvidia-smi`. */
export async function findGpu(
  roots: HostRoots,
  searchPath: string,
  command: RunCommand = runCommand,
): Promise<Gpu | undefined> {
  return tegraGpu(roots) ?? drmGpu(roots) ?? (await nvidiaGpu(searchPath, command));
}

/**
 * `nvidia-smi --query-gpu=... --format=csv,noheader,nounits`: per GPU a line of percent and MiB. With several GPUs:
 * the busiest one's use, all their memory. It is a process, so once a second at most.
 */
async function nvidiaGpu(searchPath: string, command: RunCommand): Promise<Gpu | undefined> {
  const file = findExecutable('nvidia-smi', searchPath);
  if (!file) return undefined;
  const query = (fields: string): Promise<string> =>
    command(file, [`--query-gpu=${fields}`, '--format=csv,noheader,nounits'], NVIDIA_SMI_TIMEOUT_MS);
  let name: string;
  try {
    name = (await query('name')).trim().split('\n')[0]?.trim() ?? '';
  } catch {
    return undefined; // Installed without a driver or a device: the same as no GPU.
  }
  if (!name) return undefined;
  const sampler: Sampler = {
    name: 'gpu nvidia-smi',
    series: ['gpuPct', 'gpuMemUsedBytes'],
    lookedFor: `${file} --query-gpu=utilization.gpu,memory.used`,
    everyMs: 1000,
    async sample() {
      const rows = (await query('utilization.gpu,memory.used')).trim().split('\n');
      const numbers = rows.map((row) => row.split(',').map((cell) => Number.parseFloat(cell)));
      const used = numbers.map((row) => row[1] ?? NaN);
      return {
        gpuPct: Math.max(...numbers.map((row) => row[0] ?? NaN)),
        gpuMemUsedBytes: used.reduce((sum, mib) => sum + mib, 0) * 2 ** 20,
      };
    },
  };
  return { info: { name, source: 'nvidia-smi' }, sampler };
}

function findExecutable(name: string, searchPath: string): string | undefined {
  const names = process.platform === 'win32' ? [`${name}.exe`] : [name];
  for (const folder of searchPath.split(delimiter).filter(Boolean)) {
    for (const file of names.map((candidate) => join(folder, candidate))) {
      try {
        accessSync(file, constants.X_OK);
        return file;
      } catch {
        continue; // Not in this folder.
      }
    }
  }
  return undefined;
}

/**
 * Jetson's integrated GPU: `load`, in tenths of a percent, next to `railgate_enable` and others in its device folder,
 * which moved between generations. Its memory is the machine's, so there is no memory figure.
 */
function tegraGpu(roots: HostRoots): Gpu | undefined {
  const path = tegraLoadFiles(roots).find((file) => existsSync(file));
  if (!path) return undefined;
  const model = readTrimmed(join(roots.proc, 'device-tree', 'model'))?.replaceAll('\0', '');
  const sampler: Sampler = {
    name: 'gpu tegra',
    series: ['gpuPct'],
    lookedFor: path,
    sample() {
      return Promise.resolve({ gpuPct: readNumber(path) / 10 });
    },
  };
  return { info: { name: model ? `${model} GPU` : 'Tegra GPU', source: 'tegra' }, sampler };
}

function tegraLoadFiles(roots: HostRoots): string[] {
  const devices = join(roots.sys, 'devices');
  const devfreq = join(roots.sys, 'class', 'devfreq');
  const isTegraGpu = (name: string): boolean =>
    /^(gpu\.0|[0-9a-f]+\.(gpu|gk20a|gm20b|gp10b|gv11b|ga10b))$/.test(name);
  return [
    join(devices, 'gpu.0', 'load'),
    join(devices, 'platform', 'gpu.0', 'load'),
    ...['.', 'platform', 'platform/bus@0', 'platform/host1x'].flatMap((folder) =>
      listFolder(join(devices, folder))
        .filter(isTegraGpu)
        .map((name) => join(devices, folder, name, 'load')),
    ),
    ...listFolder(devfreq)
      .filter(isTegraGpu)
      .map((name) => join(devfreq, name, 'device', 'load')),
  ];
}

/**
 * A DRM driver with `gpu_busy_percent` (amdgpu; kernel documentation, gpu/amdgpu): percent, and bytes in
 * `mem_info_vram_used`. A card in runtime suspend counts as idle and is not woken by a read.
 */
function drmGpu(roots: HostRoots): Gpu | undefined {
  const folder = join(roots.sys, 'class', 'drm');
  const card = listFolder(folder)
    .filter((name) => /^card\d+$/.test(name))
    .map((name) => join(folder, name, 'device'))
    .find((device) => existsSync(join(device, 'gpu_busy_percent')));
  if (!card) return undefined;
  const memory = join(card, 'mem_info_vram_used');
  const hasMemory = existsSync(memory);
  const sampler: Sampler = {
    name: 'gpu drm',
    series: hasMemory ? ['gpuPct', 'gpuMemUsedBytes'] : ['gpuPct'],
    lookedFor: join(card, 'gpu_busy_percent'),
    sample() {
      if (readTrimmed(join(card, 'power', 'runtime_status')) === 'suspended') {
        return Promise.resolve({ gpuPct: 0, gpuMemUsedBytes: hasMemory ? 0 : NaN });
      }
      return Promise.resolve({
        gpuPct: readNumber(join(card, 'gpu_busy_percent')),
        gpuMemUsedBytes: hasMemory ? readNumber(memory) : NaN,
      });
    },
  };
  return { info: { name: drmName(card), source: 'drm' }, sampler };
}

function drmName(device: string): string {
  const product = readTrimmed(join(device, 'product_name'));
  if (product) return product;
  const uevent = readTrimmed(join(device, 'uevent')) ?? '';
  const driver = /^DRIVER=(.+)$/m.exec(uevent)?.[1] ?? 'GPU';
  const pciId = /^PCI_ID=(.+)$/m.exec(uevent)?.[1];
  return pciId ? `${driver} ${pciId}` : driver;
}

function listFolder(path: string): string[] {
  return existsSync(path) ? readdirSync(realpathSync(path)) : [];
}

function readNumber(path: string): number {
  const text = readFileSync(path, 'latin1').trim();
  const value = Number(text);
  if (text === '' || Number.isNaN(value)) throw new Error(`${path}: expected a number, found "${text}"`);
  return value;
}
