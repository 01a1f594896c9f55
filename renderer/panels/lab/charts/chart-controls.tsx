import { useId } from 'react';
import type { ReactNode } from 'react';

import { formatFixed } from '../../../format';
import { strings } from '../../../strings';
import { Button, Segmented } from '../../../ui';
import type { ChartRange, ChartSettings } from './chart-settings';
import styles from './charts.module.css';

const STRINGS = strings.lab.charts;

const XS = Object.entries(STRINGS.xs).map(([value, words]) => ({
  value: value as ChartSettings['x'],
  ...words,
}));

interface ChartControlsProps {
  readonly settings: ChartSettings;
  readonly range: ChartRange | undefined;
  readonly onSettings: (settings: ChartSettings) => void;
  readonly onRange: (range: ChartRange | undefined) => void;
}

/** Smoothing, axes and the way back from a zoom, of all plots of a page. */
export function ChartControls({ settings, range, onSettings, onRange }: ChartControlsProps): ReactNode {
  const id = useId();
  return (
    <div role="group" aria-label={STRINGS.controls} className={styles['controls']}>
      <label htmlFor={id} title={STRINGS.smoothingHint}>
        {STRINGS.smoothing}
      </label>
      <input
        id={id}
        type="range"
        min={0}
        max={0.99}
        step={0.01}
        value={settings.smoothing}
        onChange={(event) => onSettings({ ...settings, smoothing: Number(event.currentTarget.value) })}
      />
      <output htmlFor={id}>{formatFixed(settings.smoothing, 2)}</output>
      <Segmented
        label={STRINGS.x}
        value={settings.x}
        options={XS}
        onChange={(x) => {
          // A range of one axis means nothing on another.
          onRange(undefined);
          onSettings({ ...settings, x });
        }}
      />
      <label title={STRINGS.logHint} className={styles['check']}>
        <input
          type="checkbox"
          checked={settings.isLog}
          onChange={(event) => onSettings({ ...settings, isLog: event.currentTarget.checked })}
        />
        {STRINGS.log}
      </label>
      <Button
        variant="ghost"
        title={STRINGS.wholeHint}
        disabled={range === undefined}
        onClick={() => onRange(undefined)}
      >
        {STRINGS.whole}
      </Button>
    </div>
  );
}
