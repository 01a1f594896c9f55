import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import type { DeviceInfo, MissingFigure, TelemetrySeries } from '../../../core/contract';
import { NO_FIGURE } from '../../format';
import { useSession } from '../../session';
import { EXTRA_FIGURES } from './charts';
import type { ChartSpec } from './charts';
import styles from './device-panel.module.css';

/** The latest figures of a chart in words: the first one large, the others below it; with the lines' colours. */
export function Figures({ spec }: { readonly spec: ChartSpec }): ReactNode {
  const extra = EXTRA_FIGURES[spec.id] ?? [];
  return (
    <dl className={styles['figures']} data-help={spec.help}>
      {spec.lines.map((line, index) => (
        <Figure key={line.series} {...line} large={index === 0} />
      ))}
      {extra.map((line) => (
        <Figure key={line.series} {...line} large={false} />
      ))}
    </dl>
  );
}

interface FigureProps {
  readonly series: TelemetrySeries;
  readonly label: string;
  readonly text: (value: number) => string;
  readonly token?: string;
  readonly large: boolean;
}

function Figure({ series, label, text, token, large }: FigureProps): ReactNode {
  const { telemetry } = useSession();
  const value = useStore(telemetry.latest, ({ latest }) => latest?.values[series]);
  return (
    <div data-large={large}>
      <dt>
        <i
          className={styles['key']}
          style={{ background: token === undefined ? 'transparent' : `var(${token})` }}
        />
        {label}
      </dt>
      <dd data-testid="device-figure" data-series={series}>
        {value !== undefined && Number.isFinite(value) ? text(value) : NO_FIGURE}
      </dd>
    </div>
  );
}

/** Why a chart has nothing to draw, if the machine exposes none of its lines. */
export function missingOf(spec: ChartSpec, device: DeviceInfo | undefined): MissingFigure | undefined {
  const missing = device?.missing ?? [];
  const reasons = spec.lines.map(({ series }) => missing.find((figure) => figure.series.includes(series)));
  return reasons.every((reason) => reason !== undefined) ? reasons[0] : undefined;
}
