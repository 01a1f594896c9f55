import { act, cleanup, render, screen } from '@testing-library/react';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { TELEMETRY_SERIES } from '../../../core/contract';
import type { DeviceInfo, TelemetryBatch, TelemetrySeries } from '../../../core/contract';
import { SessionContext } from '../../session';
import { createTelemetryHub } from '../../stores';
import { testSession } from '../timeline/test-session';
import { DevicePanel } from './device-panel';
import { History } from './history';
import { niceTop } from './nice-top';

// Charts need a 2D canvas; the browser tests draw them.
vi.mock('./live-chart', () => ({ LiveChart: () => null }));
afterEach(cleanup);

const DEVICE: DeviceInfo = {
  hostname: 'edge-07',
  os: 'Debian 13',
  cpu: 'ARM Cortex-A78',
  cores: 4,
  memTotalBytes: 4 * 2 ** 30,
  disk: 'nvme0n1',
  missing: [
    { series: ['gpuPct', 'gpuMemUsedBytes'], lookedFor: 'nvidia-smi on PATH', reason: 'no GPU was found' },
  ],
};

function batch(timesMs: readonly number[], values: Partial<Record<TelemetrySeries, number>>): TelemetryBatch {
  const series = Object.fromEntries(
    TELEMETRY_SERIES.map((name) => [name, new Float32Array(timesMs.length).fill(values[name] ?? NaN)]),
  ) as TelemetryBatch['series'];
  return { timeMs: Float64Array.from(timesMs), series, dropped: 0 };
}

function figure(series: TelemetrySeries): string | null | undefined {
  return document.querySelector(`[data-testid="device-figure"][data-series="${series}"]`)?.textContent;
}

describe('the Device panel', () => {
  it('waits for samples, then tells figures with units and the engine’s share of all cores', () => {
    const session = testSession({});
    session.engine.getState().actions.setStatus({ state: 'ok' });
    session.engine.getState().actions.setDevice(DEVICE);
    render(
      <SessionContext value={session}>
        <DevicePanel />
      </SessionContext>,
    );
    expect(screen.getByText('Waiting for the first samples…')).toBeDefined();
    act(() =>
      session.telemetry.push(
        batch([1000], { cpuPct: 41, engineCpuPct: 120, memUsedBytes: 2 ** 30, diskReadBytesPerSec: 9e8 }),
      ),
    );
    expect(figure('cpuPct')).toBe('41%');
    expect(figure('engineCpuPct')).toBe('30%');
    expect(figure('memUsedBytes')).toBe('1.0/4.0\u2009GiB');
    expect(figure('diskReadBytesPerSec')).toBe('900\u2009MB/s');
    expect(figure('diskQueue')).toBe('–');
  });

  it('says what was looked for where the machine exposes nothing', () => {
    const session = testSession({});
    session.engine.getState().actions.setDevice(DEVICE);
    session.telemetry.push(batch([1000], {}));
    render(
      <SessionContext value={session}>
        <DevicePanel />
      </SessionContext>,
    );
    expect(screen.getByRole('region', { name: 'GPU' }).textContent).toContain('not exposed by this machine');
    expect(screen.getByText('nvidia-smi on PATH')).toBeDefined();
  });
});

describe('history for charts', () => {
  it('counts seconds back from the latest sample, scales, and leaves gaps where there is no value', () => {
    const hub = createTelemetryHub(() => 0, 8);
    hub.push(batch([1000, 40_000, 70_000], { cpuPct: 50 }));
    hub.push(batch([100_000], {}));
    expect(new History(hub).read([{ series: 'cpuPct', factor: 0.5 }], 60)).toEqual([
      [-60, -30, 0],
      [25, 25, null],
    ]);
  });

  it('ends axes on values whose half is round, too', () => {
    expect([3, 7, 11, 41, 930e6].map((high) => niceTop(high, false))).toEqual([4, 8, 20, 50, 1e9]);
    expect([2 ** 28, 5 * 2 ** 30, 7 * 2 ** 30].map((high) => niceTop(high, true))).toEqual([
      2 ** 28,
      6 * 2 ** 30,
      8 * 2 ** 30,
    ]);
  });
});
