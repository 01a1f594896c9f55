import type { ReactNode } from 'react';

import { formatBytes, formatPct, formatRate } from '../../format';
import { formatDuration, formatMoment, sumRange } from '../../timeline-engine';
import type { LaneSums, TimeWindow, TraceModel } from '../../timeline-engine';
import { Button } from '../../ui';
import { STRINGS } from './strings';
import styles from './timeline-panel.module.css';

const WORDS = STRINGS.sums;

interface SumsBarProps {
  readonly models: readonly TraceModel[];
  readonly range: TimeWindow | undefined;
  readonly onClear: () => void;
}

/** Read, compute and wait of the marked range, else of the whole inference; one line a trace. Also the legend. */
export function SumsBar({ models, range, onClear }: SumsBarProps): ReactNode {
  return (
    <div
      className={styles['sums']}
      data-testid="timeline-sums"
      role="status"
      aria-label={range ? WORDS.range : WORDS.whole}
    >
      {models.map((model, index) => (
        <SumsLine
          key={index}
          model={model}
          range={range}
          title={models.length > 1 ? 'AB'.charAt(index) : undefined}
        />
      ))}
      {range ? (
        <Button variant="ghost" className={styles['clear']} onClick={onClear}>
          {WORDS.clear}
        </Button>
      ) : (
        <span className={styles['hint']}>{WORDS.hint}</span>
      )}
    </div>
  );
}

function SumsLine({
  model,
  range,
  title,
}: {
  readonly model: TraceModel;
  readonly range: TimeWindow | undefined;
  readonly title: string | undefined;
}): ReactNode {
  const window = range ?? { startUs: 0, endUs: model.durationUs };
  const sums = sumRange(model, window);
  const lengthUs = Math.max(1e-9, window.endUs - window.startUs);
  const aheadBytes = range ? 0 : sumRange(model, { startUs: model.startUs, endUs: 0 }).read.bytes;
  return (
    <dl className={styles['sumsLine']}>
      {title !== undefined && (
        <div className={styles['which']}>
          <dt>{STRINGS.run}</dt>
          <dd>{title}</dd>
        </div>
      )}
      <div>
        <dt>{range ? WORDS.range : WORDS.whole}</dt>
        <dd>
          <b>{formatDuration(lengthUs)}</b>
          {range && <small>from {formatMoment(Math.max(model.startUs, window.startUs))}</small>}
          {aheadBytes > 0 && <small>{WORDS.ahead(formatBytes(aheadBytes))}</small>}
        </dd>
      </div>
      <Lane kind="read" sums={sums.read} lengthUs={lengthUs}>
        {formatBytes(sums.read.bytes)}
        {sums.read.busyUs > 0 && ` at ${formatRate(rate(sums.read))}`}
      </Lane>
      <Lane kind="compute" sums={sums.compute} lengthUs={lengthUs}>
        {pct(sums.compute.busyUs, lengthUs)}
      </Lane>
      <Lane kind="wait" sums={sums.wait} lengthUs={lengthUs}>
        {pct(sums.wait.busyUs, lengthUs)}
      </Lane>
    </dl>
  );
}

function Lane(props: {
  readonly kind: 'read' | 'compute' | 'wait';
  readonly sums: LaneSums;
  readonly lengthUs: number;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <div>
      <dt>
        <i className={styles['swatch']} data-kind={props.kind} />
        {WORDS[props.kind]}
      </dt>
      <dd>
        <b>{formatDuration(props.sums.busyUs)}</b>
        <small>{props.children}</small>
      </dd>
    </div>
  );
}

function rate({ bytes, busyUs }: LaneSums): number {
  return busyUs > 0 ? (bytes / busyUs) * 1e6 : Number.NaN;
}

function pct(partUs: number, wholeUs: number): string {
  return formatPct((100 * partUs) / wholeUs, 1);
}
