import type { ReactNode } from 'react';

import type { LayerPlacement, PlanDetail } from '../../../core/contract';
import { formatBytes } from '../../format';
import { strings } from '../../strings';
import styles from './placement-strip.module.css';

const STRINGS = strings.run;

const WORDS = STRINGS.plan;

/** Neighbouring layers of one placement, as `[first, count]` spans: thousands of layers become few elements. */
export function placementSpans(
  placement: readonly LayerPlacement[],
): readonly { readonly kind: LayerPlacement; readonly first: number; readonly count: number }[] {
  const spans: { kind: LayerPlacement; first: number; count: number }[] = [];
  placement.forEach((kind, index) => {
    const last = spans.at(-1);
    if (last?.kind === kind) last.count += 1;
    else spans.push({ kind, first: index, count: 1 });
  });
  return spans;
}

function Legend({ plan }: { readonly plan: PlanDetail }): ReactNode {
  const count = (kind: LayerPlacement): number => plan.placement.filter((placed) => placed === kind).length;
  const none = count('none');
  return (
    <ul className={styles['legend']}>
      <li data-kind="resident">{`${count('resident')} ${WORDS.resident}, ${formatBytes(plan.residentBytes)}`}</li>
      <li data-kind="streamed">{`${count('streamed')} ${WORDS.streamed}`}</li>
      {none > 0 && <li data-kind="none">{`${none} ${WORDS.none}`}</li>}
      <li>{`${WORDS.ring} ${formatBytes(plan.ringBytes)}`}</li>
      {plan.constantBytes > 0 && <li>{`${WORDS.constants} ${formatBytes(plan.constantBytes)}`}</li>}
      <li>{`${formatBytes(plan.streamedBytesPerRun)} ${WORDS.perRun}`}</li>
    </ul>
  );
}

/** Which layers stay in memory at a budget, in order of execution. */
export function PlacementStrip({ plan }: { readonly plan: PlanDetail }): ReactNode {
  const layers = Math.max(1, plan.placement.length);
  const separate = layers <= 200;
  return (
    <div className={styles['strip']}>
      <div className={styles['head']}>
        <h2>{WORDS.title}</h2>
        <Legend plan={plan} />
      </div>
      <svg
        className={styles['bar']}
        viewBox={`0 0 ${layers} 1`}
        preserveAspectRatio="none"
        role="img"
        aria-label={WORDS.title}
      >
        {placementSpans(plan.placement).map(({ kind, first, count }) => (
          <rect key={first} data-kind={kind} x={first} width={count} height={1} />
        ))}
        {separate && (
          <path
            d={plan.placement.map((_, index) => `M${index} 0V1`).join('')}
            vectorEffect="non-scaling-stroke"
          />
        )}
      </svg>
    </div>
  );
}
