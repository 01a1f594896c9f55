import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CounterRate } from './counter-rate';
import { diskSampler } from './disk';
import { findDisk, splitDevice } from './disk-device';
import { ManualClock, fixtureTree } from './fixture-tree';
import type { FixtureTree } from './fixture-tree';
import { findGpu } from './gpu';
import { cpuSampler, engineIoSampler, engineSampler, memorySampler } from './linux-host';

let tree: FixtureTree;
let clock: ManualClock;
beforeEach(() => {
  tree = fixtureTree();
  clock = new ManualClock();
});
afterEach(() => tree.remove());

describe('counter rates', () => {
  it('are per second, and NaN at first, backwards and without time', () => {
    const rate = new CounterRate();
    expect(rate.next(100, 0)).toBeNaN();
    expect(rate.next(350, 500)).toBe(500);
    expect(rate.next(20, 1000)).toBeNaN();
    expect(rate.next(30, 1000)).toBeNaN();
    expect(rate.next(40, 2000)).toBe(10);
  });
});

describe('processor and memory', () => {
  it('counts idle and iowait as not busy', async () => {
    tree.write({ 'proc/stat': 'cpu  100 0 100 800 0 0 0 0 0 0\ncpu0 1 2 3 4\n' });
    const sampler = cpuSampler(tree.roots);
    expect(await sampler.sample()).toEqual({ cpuPct: NaN });
    tree.write({ 'proc/stat': 'cpu  130 0 110 840 20 0 0 0 0 0\n' });
    expect(await sampler.sample()).toEqual({ cpuPct: 40 });
  });

  it('says what is wrong with a strange /proc/stat', () => {
    tree.write({ 'proc/stat': 'intr 1 2\n' });
    expect(() => cpuSampler(tree.roots).sample()).toThrow(
      /proc\/stat: expected a first line "cpu .*found "intr 1 2"/,
    );
  });

  it('reports memory in use as total less available', async () => {
    tree.write({ 'proc/meminfo': 'MemTotal:  1000 kB\nMemFree: 10 kB\nMemAvailable:    400 kB\n' });
    expect(await memorySampler(tree.roots).sample()).toEqual({
      memTotalBytes: 1_024_000,
      memUsedBytes: 614_400,
    });
  });
});

describe('the engine’s own share', () => {
  it('counts CPU so that one busy core is 100', async () => {
    tree.write({ 'proc/self/status': 'Name:\tnode\nVmRSS:\t  2048 kB\nRssAnon:\t  1024 kB\n' });
    let cpuUs = 0;
    const sampler = engineSampler(tree.roots, clock, { cpuUs: () => cpuUs });
    await sampler.sample();
    clock.nowMs = 200;
    cpuUs = 300_000;
    expect(await sampler.sample()).toEqual({
      engineCpuPct: 150,
      engineRssBytes: 2 ** 21,
      engineAnonBytes: 2 ** 20,
    });
  });

  it('takes read_bytes, not rchar, which counts page-cache hits', async () => {
    tree.write({ 'proc/self/io': 'rchar: 999999\nwchar: 0\nread_bytes: 4096\nwrite_bytes: 0\n' });
    const sampler = engineIoSampler(tree.roots, clock);
    await sampler.sample();
    clock.nowMs = 500;
    tree.write({ 'proc/self/io': 'rchar: 9999990\nwchar: 0\nread_bytes: 8192\nwrite_bytes: 0\n' });
    expect(await sampler.sample()).toEqual({ engineReadBytesPerSec: 8192 });
  });
});

describe('the disk', () => {
  const nvme = 'sys/devices/pci0/nvme/nvme0/nvme0n1';

  function writeNvme(): void {
    tree.write({
      [`${nvme}/size`]: '2000\n',
      [`${nvme}/device/model`]: 'Fast SSD  \n',
      [`${nvme}/nvme0n1p2/partition`]: '2\n',
      [`${nvme}/nvme0n1p2/stat`]: '0 0 0 0 0 0 0 0 0 0 0\n',
      [`${nvme}/stat`]: '10 0 1000 5 0 0 200 0 3 40 80 0 0 0 0\n',
    });
    tree.link('sys/dev/block/259:2', `${nvme}/nvme0n1p2`);
    tree.link('sys/class/block/nvme0n1p2', `${nvme}/nvme0n1p2`);
    tree.link('sys/block/nvme0n1', nvme);
  }

  it('splits device numbers as glibc packs them', () => {
    expect(splitDevice(65024)).toEqual({ major: 254, minor: 0 });
    expect(splitDevice(0x10302)).toEqual({ major: 259, minor: 2 });
  });

  it('is the parent of the partition that holds the directory', () => {
    writeNvme();
    const disk = findDisk('/data', tree.roots, () => 0x10302);
    expect(disk).toMatchObject({ name: 'nvme0n1', model: 'Fast SSD', sizeBytes: 1_024_000 });
  });

  it('is found by the mount’s source where the file system has no device number (btrfs)', () => {
    writeNvme();
    tree.write({
      'proc/self/mountinfo':
        '20 1 0:30 / / rw - overlay overlay rw\n21 20 0:31 /sub /data rw,relatime shared:1 - btrfs /dev/nvme0n1p2 rw\n',
    });
    expect(findDisk('/data/models', tree.roots, () => 31).name).toBe('nvme0n1');
    expect(() => findDisk('/elsewhere', { proc: tree.roots.proc, sys: '/nowhere' }, () => 31)).toThrow(
      /no block device.*0:31/,
    );
  });

  it('is the only physical disk at last, and an error where there are more', () => {
    writeNvme();
    tree.link('sys/block/loop0', 'sys/devices/virtual/loop0');
    tree.write({ 'sys/devices/virtual/loop0/size': '0' });
    expect(findDisk('/x', tree.roots, () => 31).name).toBe('nvme0n1');
    tree.write({ 'sys/devices/sdb/device/model': 'Slow' });
    tree.link('sys/block/sdb', 'sys/devices/sdb');
    expect(() => findDisk('/x', tree.roots, () => 31)).toThrow(/2 physical disks/);
  });

  it('gives bytes per second, the time-average queue and the busy share', async () => {
    writeNvme();
    const sampler = diskSampler(
      findDisk('/x', tree.roots, () => 0x10302),
      clock,
    );
    expect((await sampler.sample()).diskQueue).toBeNaN();
    clock.nowMs = 500;
    tree.write({ [`${nvme}/stat`]: '20 0 3000 9 0 0 300 0 1 290 1580 0 0 0 0\n' });
    expect(await sampler.sample()).toEqual({
      diskReadBytesPerSec: 2_048_000,
      diskWriteBytesPerSec: 102_400,
      diskBusyPct: 50,
      diskQueue: 3,
    });
  });
});

describe('the GPU', () => {
  const none = (): Promise<string> => Promise.reject(new Error('not called'));

  it('is absent without any of the interfaces', async () => {
    expect(await findGpu(tree.roots, '/nowhere', none)).toBeUndefined();
  });

  it.each([
    'sys/devices/gpu.0/load',
    'sys/devices/platform/17000000.ga10b/load',
    'sys/devices/platform/bus@0/17000000.gpu/load',
    'sys/class/devfreq/57000000.gpu/device/load',
  ])('reads Tegra’s load in tenths of a percent from %s', async (path) => {
    tree.write({ [path]: '456\n', 'proc/device-tree/model': 'NVIDIA Jetson Nano\0' });
    const gpu = await findGpu(tree.roots, '', none);
    expect(gpu?.info).toEqual({ name: 'NVIDIA Jetson Nano GPU', source: 'tegra' });
    expect(await gpu?.sampler.sample()).toEqual({ gpuPct: 45.6 });
  });

  it('reads amdgpu’s files, and does not wake a sleeping card', async () => {
    const device = 'sys/class/drm/card1/device';
    tree.write({
      'sys/class/drm/card1-DP-1/status': 'connected',
      [`${device}/gpu_busy_percent`]: '37\n',
      [`${device}/mem_info_vram_used`]: '1048576\n',
      [`${device}/uevent`]: 'DRIVER=amdgpu\nPCI_ID=1002:744C\n',
      [`${device}/power/runtime_status`]: 'active\n',
    });
    const gpu = await findGpu(tree.roots, '', none);
    expect(gpu?.info).toEqual({ name: 'amdgpu 1002:744C', source: 'drm' });
    expect(await gpu?.sampler.sample()).toEqual({ gpuPct: 37, gpuMemUsedBytes: 2 ** 20 });
    tree.write({ [`${device}/power/runtime_status`]: 'suspended\n', [`${device}/gpu_busy_percent`]: 'busy' });
    expect(await gpu?.sampler.sample()).toEqual({ gpuPct: 0, gpuMemUsedBytes: 0 });
  });

  it('asks nvidia-smi at most once a second: busiest GPU, all their memory', async () => {
    tree.write({ 'bin/nvidia-smi': '' });
    const bin = tree.roots.sys.replace(/sys$/, 'bin');
    const { chmodSync } = await import('node:fs');
    chmodSync(`${bin}/nvidia-smi`, 0o755);
    const asked: string[] = [];
    const gpu = await findGpu(tree.roots, bin, (_file, args) => {
      asked.push(args[0] ?? '');
      return Promise.resolve(args[0]?.includes('name') ? 'RTX A2000\nRTX A2000\n' : '12, 100\n80, 924\n');
    });
    expect(gpu?.info).toEqual({ name: 'RTX A2000', source: 'nvidia-smi' });
    expect(gpu?.sampler.everyMs).toBe(1000);
    expect(await gpu?.sampler.sample()).toEqual({ gpuPct: 80, gpuMemUsedBytes: 2 ** 30 });
    expect(asked).toEqual(['--query-gpu=name', '--query-gpu=utilization.gpu,memory.used']);
  });
});
