import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { RemoteTier, TierName } from '../../../contract';
import { TIER_NAMES } from '../../../contract';
import type { RegisteredVariant } from '../../offload/deployment-store';
import { createCpuCgroup } from './cpu-cgroup';
import type { CpuCgroup } from './cpu-cgroup';
import { DeviceClient } from './device-client';
import type { LinkConditions } from './link-lane';
import type { LiveScenario } from './live-scenario';
import { createShapedLink } from './shaped-link';
import type { ShapedLink } from './shaped-link';
import { TierServer } from './tier-server';

export interface LiveMachinesOptions {
  readonly scenario: LiveScenario;
  /** Holds the library; what is imported stays. */
  readonly workDir: string;
  /** Of the library. Default: the example's, built and imported where they are missing. */
  readonly variants?: readonly RegisteredVariant[];
  readonly log: (message: string) => void;
}

/** By what means the machines differ, and what could not be done. */
export interface Shaping {
  readonly processors: Readonly<Record<TierName, number | 'unlimited'>>;
  readonly links: Readonly<Record<RemoteTier, ShapedLink['means']>>;
  readonly whyNot: readonly string[];
}

/** Device, edge and cloud: three processes, each with its share of this machine, and the links between them. */
export interface LiveMachines {
  readonly device: DeviceClient;
  readonly edge: TierServer;
  readonly variants: readonly RegisteredVariant[];
  readonly shaping: Shaping;
  setLink(tier: RemoteTier, conditions: LinkConditions): Promise<void>;
  close(): Promise<void>;
}

/** @throws SluiceError when a process can't be started or a variant not imported. */
export async function openLiveMachines(options: LiveMachinesOptions): Promise<LiveMachines> {
  const opened = new OpenedParts();
  try {
    return await open(options, opened);
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** What has to be ended, also when opening fails half-way or this process exits meanwhile. */
class OpenedParts {
  device: DeviceClient | undefined;
  readonly servers: TierServer[] = [];
  readonly links: ShapedLink[] = [];
  readonly cgroups: CpuCgroup[] = [];
  scratchDir: string | undefined;
  private readonly onExit = (): void => {
    this.device?.child.kill('SIGKILL');
    for (const { child } of this.servers) child.kill('SIGKILL');
    for (const cgroup of this.cgroups) removeSoon(cgroup);
    if (this.scratchDir !== undefined) rmSync(this.scratchDir, { recursive: true, force: true });
  };

  constructor() {
    process.once('exit', this.onExit);
  }

  async close(): Promise<void> {
    process.off('exit', this.onExit);
    await this.device?.end();
    for (const server of this.servers) await server.kill();
    for (const link of this.links) await link.close();
    for (const cgroup of this.cgroups) removeSoon(cgroup);
    if (this.scratchDir !== undefined) await rm(this.scratchDir, { recursive: true, force: true });
  }
}

async function open(options: LiveMachinesOptions, opened: OpenedParts): Promise<LiveMachines> {
  const { scenario, workDir, log } = options;
  await mkdir(workDir, { recursive: true });
  const scratchDir = (opened.scratchDir = await mkdtemp(join(workDir, 'live-')));
  const whyNot: string[] = [];
  const device = (opened.device = DeviceClient.start());
  log('live: preparing the networks');
  const { variants } = await device.prepare({
    dataDir: workDir,
    scratchDir,
    ...(options.variants && { variants: options.variants }),
  });
  const token = randomBytes(24).toString('hex');
  const tokenFile = join(scratchDir, 'token');
  await writeFile(tokenFile, token, { mode: 0o600 });
  const start = async (tier: RemoteTier): Promise<readonly [TierServer, ShapedLink]> => {
    const link = createShapedLink((reason) => whyNot.push(`link of the ${tier}: ${reason}`));
    opened.links.push(link);
    await link.set(scenario.links[tier]);
    const models = variants.map(({ model }) => model);
    const server = await TierServer.start({ tier, dataDir: workDir, models, tokenFile, token, link });
    opened.servers.push(server);
    return [server, link];
  };
  log('live: starting edge and cloud');
  const [edge, edgeLink] = await start('edge');
  const [cloud, cloudLink] = await start('cloud');
  await device.connect([edge.endpoint, cloud.endpoint]);
  // Everything is loaded before it is slowed down: starting is no part of what is measured.
  await device.timeAlone(1, TIER_NAMES);
  const pids = { device: device.child.pid!, edge: edge.child.pid!, cloud: cloud.child.pid! };
  const processors = limitProcessors(scenario, pids, opened, whyNot);
  for (const reason of whyNot) log(`live: not shaped: ${reason}`);
  const links = { edge: edgeLink, cloud: cloudLink };
  const shaping = { processors, links: { edge: edgeLink.means, cloud: cloudLink.means }, whyNot };
  return {
    device,
    edge,
    variants,
    shaping,
    setLink: (tier, conditions) => links[tier].set(conditions),
    close: () => opened.close(),
  };
}

function limitProcessors(
  { processors }: LiveScenario,
  pids: Readonly<Record<TierName, number>>,
  opened: OpenedParts,
  whyNot: string[],
): Shaping['processors'] {
  const limits: Record<TierName, number | 'unlimited'> = {
    device: 'unlimited',
    edge: 'unlimited',
    cloud: 'unlimited',
  };
  for (const tier of TIER_NAMES) {
    if (processors[tier] === Infinity) continue;
    const cgroup = createCpuCgroup(`sluice-bench-${process.pid}-${tier}`, (reason) =>
      whyNot.push(`processors of the ${tier}: ${reason}`),
    );
    if (!cgroup) continue;
    opened.cgroups.push(cgroup);
    cgroup.add(pids[tier]);
    cgroup.setProcessors(processors[tier]);
    limits[tier] = processors[tier];
  }
  return limits;
}

/** Waits a little, without letting anything else run: a killed process leaves its group a moment later. */
function removeSoon(cgroup: CpuCgroup): void {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    try {
      cgroup.remove();
      return;
    } catch {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
}
