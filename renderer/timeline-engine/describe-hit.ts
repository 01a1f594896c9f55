import { formatBytes, formatRate } from '../format';
import type { Hit } from './hit-test';
import { causeOfWait } from './stall-cause';
import type { TimelineTheme } from './theme';
import { formatDuration, formatMoment } from './time-format';
import type { TooltipLine, TooltipText } from './tooltip';
import { kindOf, layerNameOf } from './trace-model';
import type { TraceModel } from './trace-model';

const TITLES = { read: 'Read', wait: 'Wait', compute: 'Compute' } as const;

/** The figures of one span, for the tooltip and the inspector. */
export function describeSpan(
  model: TraceModel,
  span: number,
): { title: string; lines: readonly TooltipLine[] } {
  const { columns } = model;
  const kind = kindOf(columns, span);
  const us = columns.durationUs[span]!;
  const bytes = columns.bytes[span]!;
  const lines: TooltipLine[] = [
    { label: TITLES[kind], value: formatDuration(us) },
    { label: 'from', value: formatMoment(columns.startUs[span]!) },
  ];
  if (kind === 'read') {
    lines.push({ label: 'bytes', value: formatBytes(bytes) });
    lines.push({ label: 'rate', value: us > 0 ? formatRate((bytes / us) * 1e6) : '–' });
  }
  if (kind === 'compute') lines.push({ label: 'weights', value: formatBytes(bytes) });
  if (kind === 'wait') lines.push({ label: 'waited for', value: formatBytes(bytes) }, causeLine(model, span));
  return { title: layerNameOf(columns, span), lines };
}

function causeLine(model: TraceModel, wait: number): TooltipLine {
  const read = causeOfWait(model, wait);
  if (read === undefined) return { label: 'ended by', value: 'no read' };
  const tookUs = model.columns.durationUs[read]!;
  return {
    label: 'ended by',
    value: `read of ${formatBytes(model.columns.bytes[read]!)}, ${formatDuration(tookUs)}`,
  };
}

export function describeHit(
  models: readonly TraceModel[],
  hit: Hit,
  theme: TimelineTheme,
): TooltipText | undefined {
  const model = models[hit.kind === 'ring' ? hit.trace : hit.ref.trace];
  if (!model) return undefined;
  if (hit.kind === 'span') {
    const color = theme.span[kindOf(model.columns, hit.ref.span)];
    return { color, ...describeSpan(model, hit.ref.span) };
  }
  const capacityBytes = model.columns.ringCapacityBytes;
  const share = capacityBytes > 0 ? ` (${((100 * hit.bytes) / capacityBytes).toFixed(0)}%)` : '';
  const lines = [
    { label: 'held', value: `${formatBytes(hit.bytes)}${share}` },
    { label: 'capacity', value: capacityBytes > 0 ? formatBytes(capacityBytes) : 'no ring' },
    { label: 'at', value: formatMoment(Math.max(0, hit.atUs)) },
  ];
  return { title: 'Ring buffer', color: theme.ring, lines };
}
