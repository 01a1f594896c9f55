import type { ReactNode } from 'react';

import { formatBytes, formatPct, formatRate } from '../../format';
import { strings } from '../../strings';
import { formatDuration, formatMoment, sumKinds, sumRange } from '../../timeline-engine';
import type { LaneSums, LayerTrace, RequestTrace, TimeWindow, TraceModel } from '../../timeline-engine';
import { Button } from '../../ui';
import styles from './timeline-panel.module.css';
import { Swatch } from './swatch';

const STRINGS = strings.timeline;

const WORDS = STRINGS.sums;

interface SumsBarProps {
  readonly models: readonly TraceModel[];
  readonly range: TimeWindow | undefined;
  readonly onClear: () => void;
}

/** What the marked range holds, else the whole trace; one line a trace. Also the legend. */
export function SumsBar({ models, range, onClear }: SumsBarProps): ReactNode {
  return (
    <div
      className={styles['sums']}
      data-testid="timeline-sums"
      role="status"
      aria-label={range ? WORDS.range : wholeOf(models[0])}
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

function wholeOf(model: TraceModel | undefined): string {
  return model?.source === 'requests' ? WORDS.round : WORDS.whole;
}

interface SumsLineProps {
  readonly model: TraceModel;
  readonly range: TimeWindow | undefined;
  readonly title: string | undefined;
}

function SumsLine({ model, range, title }: SumsLineProps): ReactNode {
  const window = range ?? { startUs: 0, endUs: model.durationUs };
  const lengthUs = Math.max(1e-9, window.endUs - window.startUs);
  const isLayers = model.source === 'layers';
  const aheadBytes =
    range || !isLayers ? 0 : sumRange(model, { startUs: model.startUs, endUs: 0 }).read.bytes;
  return (
    <dl className={styles['sumsLine']} data-source={model.source}>
      {title !== undefined && (
        <div className={styles['which']}>
          <dt>{isLayers ? STRINGS.run : STRINGS.decisionChoice}</dt>
          <dd>{title}</dd>
        </div>
      )}
      <div>
        <dt>{range ? WORDS.range : wholeOf(model)}</dt>
        <dd>
          <b>{formatDuration(lengthUs)}</b>
          {range && <small>{WORDS.from(formatMoment(Math.max(model.startUs, window.startUs)))}</small>}
          {aheadBytes > 0 && <small>{WORDS.ahead(formatBytes(aheadBytes))}</small>}
        </dd>
      </div>
      {isLayers ? (
        <LayerSums model={model} window={window} lengthUs={lengthUs} />
      ) : (
        <RequestSums model={model} window={window} lengthUs={lengthUs} />
      )}
    </dl>
  );
}

interface SumsOf<M> {
  readonly model: M;
  readonly window: TimeWindow;
  readonly lengthUs: number;
}

function LayerSums({ model, window, lengthUs }: SumsOf<LayerTrace>): ReactNode {
  const sums = sumRange(model, window);
  return (
    <>
      <Lane kind="read" sums={sums.read}>
        {formatBytes(sums.read.bytes)}
        {sums.read.busyUs > 0 && ` at ${formatRate(rate(sums.read))}`}
      </Lane>
      <Lane kind="compute" sums={sums.compute}>
        {pct(sums.compute.busyUs, lengthUs)}
      </Lane>
      <Lane kind="wait" sums={sums.wait}>
        {pct(sums.wait.busyUs, lengthUs)}
      </Lane>
    </>
  );
}

function RequestSums({ model, window, lengthUs }: SumsOf<RequestTrace>): ReactNode {
  const sums = sumKinds(model.kinds, window);
  return (
    <>
      <Lane kind="send" sums={sums.send}>
        {formatBytes(sums.send.bytes)}
      </Lane>
      <Lane kind="queue" sums={sums.queue}>
        {pct(sums.queue.busyUs, lengthUs)}
      </Lane>
      <Lane kind="compute" sums={sums.compute}>
        {pct(sums.compute.busyUs, lengthUs)}
      </Lane>
      <Lane kind="receive" sums={sums.receive}>
        {formatBytes(sums.receive.bytes)}
      </Lane>
      <Lane kind="lost" sums={sums.lost}>
        {pct(sums.lost.busyUs, lengthUs)}
      </Lane>
    </>
  );
}

function Lane(props: {
  readonly kind: 'read' | 'compute' | 'wait' | 'send' | 'queue' | 'receive' | 'lost';
  readonly sums: LaneSums;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <div>
      <dt>
        <Swatch kind={props.kind} />
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
