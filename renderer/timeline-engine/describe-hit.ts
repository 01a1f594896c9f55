import { formatBytes, formatFixed, formatRate, NO_FIGURE } from '../format';
import { strings } from '../strings';
import type { Hit } from './hit-test';
import { causeOfWait } from './stall-cause';
import type { TimelineTheme } from './theme';
import { formatDuration, formatMoment } from './time-format';
import type { TooltipLine, TooltipText } from './tooltip';
import { kindOf } from './trace-model';
import type { LayerTrace, RequestTrace, TraceModel } from './trace-model';

const WORDS = strings.trace;

interface Description {
  readonly title: string;
  readonly lines: readonly TooltipLine[];
}

/** The figures of one span, for the tooltip and the inspector. */
export function describeSpan(model: TraceModel, span: number): Description {
  const { columns } = model;
  const lines = [
    { label: WORDS.kinds[kindOf(model, span)], value: formatDuration(columns.durationUs[span]!) },
    { label: WORDS.from, value: formatMoment(columns.startUs[span]!) },
  ];
  return model.source === 'layers'
    ? { title: model.labelOf(span), lines: [...lines, ...layerLines(model, span)] }
    : { title: requestTitle(model, span), lines: [...lines, ...requestLines(model, span)] };
}

function layerLines(model: LayerTrace, span: number): readonly TooltipLine[] {
  const kind = kindOf(model, span);
  const bytes = formatBytes(model.columns.bytes[span]!);
  if (kind === 'compute') return [{ label: WORDS.weights, value: bytes }];
  if (kind === 'wait') return [{ label: WORDS.waitedFor, value: bytes }, causeLine(model, span)];
  return transferLines(model, span);
}

function requestTitle({ columns }: RequestTrace, span: number): string {
  return WORDS.userAt(columns.user[span]! + 1, columns.laneNames[columns.lane[span]!] ?? '');
}

function requestLines(model: RequestTrace, span: number): readonly TooltipLine[] {
  const kind = kindOf(model, span);
  return kind === 'send' || kind === 'receive' ? transferLines(model, span) : [];
}

function transferLines({ columns }: TraceModel, span: number): readonly TooltipLine[] {
  const us = columns.durationUs[span]!;
  const bytes = columns.bytes[span]!;
  return [
    { label: WORDS.bytes, value: formatBytes(bytes) },
    { label: WORDS.rate, value: us > 0 ? formatRate((bytes / us) * 1e6) : NO_FIGURE },
  ];
}

function causeLine(model: LayerTrace, wait: number): TooltipLine {
  const read = causeOfWait(model, wait);
  if (read === undefined) return { label: WORDS.endedBy, value: WORDS.noRead };
  const tookUs = model.columns.durationUs[read]!;
  return {
    label: WORDS.endedBy,
    value: WORDS.readOf(formatBytes(model.columns.bytes[read]!), formatDuration(tookUs)),
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
    const color = theme.span[kindOf(model, hit.ref.span)];
    return { color, ...describeSpan(model, hit.ref.span) };
  }
  if (model.source !== 'layers') return undefined;
  const capacityBytes = model.columns.ringCapacityBytes;
  const share = capacityBytes > 0 ? ` (${formatFixed((100 * hit.bytes) / capacityBytes, 0)}%)` : '';
  const lines = [
    { label: WORDS.held, value: `${formatBytes(hit.bytes)}${share}` },
    { label: WORDS.capacity, value: capacityBytes > 0 ? formatBytes(capacityBytes) : WORDS.noRing },
    { label: WORDS.at, value: formatMoment(Math.max(0, hit.atUs)) },
  ];
  return { title: WORDS.ringBuffer, color: theme.ring, lines };
}
