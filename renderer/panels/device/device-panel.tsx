import { useMemo, useState } from 'react';
import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import type { DeviceInfo, EngineStatus } from '../../../core/contract';
import { formatBytes, formatCount } from '../../format';
import { useSession } from '../../session';
import { strings } from '../../strings';
import { EmptyState, Help, HelpedLabel, Segmented } from '../../ui';
import { chartsOf } from './charts';
import type { ChartSpec } from './charts';
import styles from './device-panel.module.css';
import { Figures, missingOf } from './figures';
import { LiveChart } from './live-chart';

const STRINGS = strings.device;

const WINDOWS_SEC = { short: 60, long: 300 } as const;
type WindowName = keyof typeof WINDOWS_SEC;

/** What the engine's machine is and what it is doing now, with the engine's own share of it. */
export function DevicePanel(): ReactNode {
  const { engine, telemetry } = useSession();
  const device = useStore(engine, (state) => state.device);
  const status = useStore(engine, (state) => state.status.state);
  const sampled = useStore(telemetry.latest, ({ latest }) => latest !== undefined);
  const dropped = useStore(telemetry.latest, ({ latest }) => latest?.dropped ?? 0);
  const [shown, setShown] = useState<WindowName>('short');
  const charts = useMemo(() => chartsOf(device), [device]);
  if (!sampled) return <EmptyState title={STRINGS.title}>{waitingText(status)}</EmptyState>;
  return (
    <div className={styles['root']} data-live={status === 'ok'}>
      <header className={styles['bar']}>
        <Facts device={device} />
        <Segmented
          label={STRINGS.window}
          value={shown}
          options={[
            { value: 'short', label: STRINGS.windows.short },
            { value: 'long', label: STRINGS.windows.long },
          ]}
          onChange={setShown}
        />
      </header>
      {dropped > 0 && <p className={styles['note']}>{STRINGS.dropped(formatCount(dropped))}</p>}
      <div className={styles['charts']}>
        {charts.map((spec) => (
          <Chart key={spec.id} spec={spec} device={device} windowSec={WINDOWS_SEC[shown]} />
        ))}
      </div>
    </div>
  );
}

function waitingText(status: EngineStatus['state']): string {
  if (status === 'ok') return STRINGS.waiting;
  return status === 'starting' ? STRINGS.starting : STRINGS.away;
}

function Chart({
  spec,
  device,
  windowSec,
}: {
  readonly spec: ChartSpec;
  readonly device: DeviceInfo | undefined;
  readonly windowSec: number;
}): ReactNode {
  const missing = missingOf(spec, device);
  return (
    <section className={styles['card']} aria-label={spec.title} data-missing={missing !== undefined}>
      <div className={styles['words']}>
        <h2>
          <Help id={spec.help}>{spec.title}</Help>
        </h2>
        <Figures spec={spec} />
      </div>
      {missing === undefined ? (
        <LiveChart spec={spec} windowSec={windowSec} />
      ) : (
        <div className={styles['missing']}>
          <p>{STRINGS.missing}</p>
          <p>{missing.reason}</p>
          <p>
            {STRINGS.lookedFor}: <code>{missing.lookedFor}</code>
          </p>
        </div>
      )}
    </section>
  );
}

function Facts({ device }: { readonly device: DeviceInfo | undefined }): ReactNode {
  if (device === undefined) return <dl className={styles['facts']} />;
  const words = STRINGS.facts;
  const facts = [
    [words.host, device.hostname],
    [words.cpu, `${device.cpu}, ${STRINGS.cores(device.cores)}`],
    [words.memory, formatBytes(device.memTotalBytes), 'device.total'],
    [words.disk, device.disk],
    [words.gpu, device.gpu ? `${device.gpu.name} (${device.gpu.source})` : STRINGS.noGpu],
    [words.os, device.os],
  ] as const;
  return (
    <dl className={styles['facts']}>
      {facts.map(([label, value, help]) => (
        <div key={label}>
          <dt>
            <HelpedLabel help={help}>{label}</HelpedLabel>
          </dt>
          <dd title={value}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
