import type { BoxFigures, FleetBox, FleetPush } from '../../core/contract';

/** Test data only: boxes of made-up but consistent shape. Nothing here reaches the product. */
export function fakeFigures(part: Partial<BoxFigures> = {}): BoxFigures {
  return {
    hostname: 'edge-07',
    version: '0.1.0',
    cpu: 'ARM Cortex-A78',
    cores: 4,
    cpuPct: 41,
    memUsedBytes: 1.2 * 2 ** 30,
    memTotalBytes: 4 * 2 ** 30,
    diskReadBytesPerSec: 912e6,
    budgetLimitBytes: 512 * 2 ** 20,
    budgetUsedBytes: 318 * 2 ** 20,
    models: [{ name: 'resnet50', kind: 'network', bytes: 98 * 2 ** 20 }],
    runsGoing: 1,
    jobsGoing: 0,
    alerts: [],
    ...part,
  };
}

export function fakeBox(part: Partial<FleetBox> & { readonly id: string }): FleetBox {
  return {
    name: part.id,
    url: `https://${part.id}.lan:8787`,
    state: 'online',
    sinceMs: 0,
    roundTripMs: 2.4,
    figures: fakeFigures(),
    ...part,
  };
}

export function fakePush(part: Partial<FleetPush> = {}): FleetPush {
  return {
    id: 'p1',
    model: 'resnet50',
    startedMs: 1,
    boxes: [
      { box: 'a', state: 'sending', sentBytes: 25e6, totalBytes: 100e6 },
      { box: 'b', state: 'waiting', sentBytes: 0, totalBytes: 100e6 },
    ],
    ...part,
  };
}
