import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SPAN_KINDS } from '../../core/contract';
import type { SpanKind, TraceColumns } from '../../core/contract';
import { levelFor, readCoverage } from './coverage-lod';
import { fitText } from './draw-row';
import { hitTest, snapToEdge } from './hit-test';
import { AXIS_PX, boxOf, layoutLanes } from './lane-layout';
import { sumLayers, sumRange } from './range-sums';
import { causeOfWait } from './stall-cause';
import { buildSteps, stepAt, stepExtent } from './step-lod';
import { formatDuration, formatMoment, formatTick } from './time-format';
import { clampWindow, panBy, pxToUs, ticks, usToPx, wholeTrace, zoomAt } from './time-scale';
import { buildTrace } from './layer-trace';
import { endUs } from './span-group';
import { traceOf } from './trace-of';
import type { PlainSpan } from './trace-of';
import { extentOfGroup, mainSpanOf, neighbourSpan, waitAfter } from './walk';

const plainSpan: fc.Arbitrary<PlainSpan> = fc.tuple(
  fc.constantFrom(...SPAN_KINDS),
  fc.nat(5),
  fc.nat(1000),
  fc.nat(120),
  fc.nat(1000),
);
const anyTrace = fc.array(plainSpan, { maxLength: 60 }).map((spans) => traceOf(spans));
const anyWindow = fc
  .tuple(fc.double({ min: -50, max: 1150, noNaN: true }), fc.double({ min: 0.01, max: 900, noNaN: true }))
  .map(([startUs, lengthUs]) => ({ startUs, endUs: startUs + lengthUs }));

/** The same sums the slow way, straight from the columns. */
function naiveSums(columns: TraceColumns, kind: SpanKind, fromUs: number, toUs: number) {
  let summedUs = 0;
  let bytes = 0;
  const parts: [number, number][] = [];
  for (let i = 0; i < columns.kind.length; i += 1) {
    if (SPAN_KINDS[columns.kind[i]!] !== kind) continue;
    const start = columns.startUs[i]!;
    const end = endUs(columns, i);
    const from = Math.max(start, fromUs);
    const to = Math.min(end, toUs);
    if (to > from) parts.push([from, to]);
    summedUs += Math.max(0, to - from);
    if (end > start) bytes += columns.bytes[i]! * (Math.max(0, to - from) / (end - start));
    else if (start > fromUs && start < toUs) bytes += columns.bytes[i]!;
  }
  let busyUs = 0;
  let reached = -Infinity;
  for (const [from, to] of parts) {
    busyUs += Math.max(0, to - Math.max(from, reached));
    reached = Math.max(reached, to);
  }
  return { summedUs, bytes, busyUs };
}

describe('time 0', () => {
  it('is where the inference starts; what was read ahead of it lies before', () => {
    const columns = traceOf(
      [
        ['read', 0, 0, 10, 100],
        ['wait', 0, 500, 5, 7],
        ['compute', 0, 505, 20, 7],
        ['read', 1, 510, 4, 60],
      ],
      [
        [0, 0],
        [10, 100],
      ],
    );
    const model = buildTrace(columns);
    expect(model).toMatchObject({ startUs: -500, durationUs: 25 });
    expect([...model.columns.startUs]).toEqual([-500, 0, 5, 10]);
    expect([...model.columns.ringAtUs]).toEqual([-500, -490]);
    expect(sumRange(model, { startUs: 0, endUs: 25 }).read.bytes).toBe(60);
    expect(formatMoment(-3204)).toBe('−3.204\u2009ms');
  });

  it('stays where it was without anything but reads', () => {
    const columns = traceOf([['read', 0, 7, 10, 100]]);
    expect(buildTrace(columns).columns).toBe(columns);
  });
});

describe('range sums', () => {
  it('equal a loop over all spans', () => {
    fc.assert(
      fc.property(anyTrace, anyWindow, (columns, window) => {
        const model = buildTrace(columns);
        const sums = sumRange(model, window);
        for (const kind of SPAN_KINDS) {
          const naive = naiveSums(model.columns, kind, window.startUs, window.endUs);
          expect(Math.abs(sums[kind].summedUs - naive.summedUs)).toBeLessThanOrEqual(1e-6);
          expect(Math.abs(sums[kind].bytes - naive.bytes)).toBeLessThanOrEqual(1e-6);
          expect(Math.abs(sums[kind].busyUs - naive.busyUs)).toBeLessThanOrEqual(1e-6);
        }
      }),
    );
  });

  it('share bytes of a span by time, and add up to the whole', () => {
    const columns = traceOf([
      ['read', 0, 0, 100, 1000],
      ['read', 1, 50, 100, 500],
    ]);
    const model = buildTrace(columns);
    expect(sumRange(model, { startUs: 0, endUs: 50 }).read).toEqual({
      busyUs: 50,
      summedUs: 50,
      bytes: 500,
      spans: 1,
    });
    expect(sumRange(model, { startUs: 25, endUs: 75 }).read).toEqual({
      busyUs: 50,
      summedUs: 75,
      bytes: 625,
      spans: 2,
    });
    expect(sumRange(model, { startUs: -9, endUs: 999 }).read).toEqual({
      busyUs: 150,
      summedUs: 200,
      bytes: 1500,
      spans: 2,
    });
  });

  it('give per-layer totals', () => {
    const columns = traceOf([
      ['read', 0, 0, 10, 100],
      ['wait', 1, 10, 5, 7],
      ['compute', 1, 15, 20, 7],
      ['read', 1, 20, 4, 60],
    ]);
    expect(sumLayers(buildTrace(columns))).toEqual([
      { layer: 0, name: 'layer0', readUs: 10, readBytes: 100, waitUs: 0, computeUs: 0 },
      { layer: 1, name: 'layer1', readUs: 4, readBytes: 60, waitUs: 5, computeUs: 20 },
    ]);
  });
});

describe('rows', () => {
  it('never overlap, hold every span once and stay in order', () => {
    fc.assert(
      fc.property(anyTrace, (columns) => {
        const model = buildTrace(columns);
        const seen: number[] = [];
        for (const kind of SPAN_KINDS) {
          for (const row of model.kinds[kind].rows) {
            seen.push(...row.span);
            for (let i = 1; i < row.start.length; i += 1)
              expect(row.start[i]).toBeGreaterThanOrEqual(row.end[i - 1]!);
          }
        }
        expect(seen.sort((a, b) => a - b)).toEqual([...columns.kind.keys()]);
      }),
    );
  });

  it('are as many as spans at once, and clock jitter opens none', () => {
    const overlapping = buildTrace(traceOf([0, 5, 9].map((at) => ['read', 0, at, 10, 1] as const)));
    expect(overlapping.kinds.read.rows).toHaveLength(3);
    const jitter = buildTrace(traceOf([0, 9.8, 19.7].map((at) => ['compute', 0, at, 10, 1] as const)));
    expect(jitter.kinds.compute.rows).toHaveLength(1);
  });
});

describe('level of detail', () => {
  it('keeps the covered time at every level', () => {
    fc.assert(
      fc.property(anyTrace, (columns) => {
        for (const row of buildTrace(columns).kinds.read.rows) {
          const total = row.coveredBefore.at(-1)!;
          for (const level of row.lod.levels) {
            const sum = level.reduce((acc, covered) => acc + covered, 0);
            expect(sum).toBeCloseTo(total, 1);
          }
        }
      }),
    );
  });

  it('shows per pixel what a loop over the spans shows, within one bucket of each edge', () => {
    const spans = Array.from({ length: 500 }, (_, i) => ['compute', 0, i * 10, 4 + (i % 5), 1] as const);
    const row = buildTrace(traceOf(spans)).kinds.compute.rows[0]!;
    const columns = new Float32Array(50);
    const pxUs = 64;
    const level = levelFor(row.lod, pxUs);
    expect(row.lod.baseUs * 2 ** level).toBeLessThanOrEqual(pxUs);
    readCoverage(row.lod, level, 1000, pxUs, columns);
    for (const share of columns) expect(Math.abs(share - 0.6)).toBeLessThan(0.2);
    expect(columns.reduce((sum, share) => sum + share, 0) / 50).toBeCloseTo(0.6, 1);
  });

  it('finds ring extremes like a loop', () => {
    const steps = fc.array(fc.tuple(fc.nat(200), fc.nat(100)), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(steps, fc.nat(220), fc.integer({ min: 1, max: 90 }), (pairs, from, length) => {
        const sorted = pairs.sort((a, b) => a[0] - b[0]);
        const ring = buildSteps(
          Float64Array.from(sorted, ([at]) => at),
          Float64Array.from(sorted, ([, value]) => value),
        );
        const to = from + length;
        const inside = sorted.filter(([at]) => at > from && at < to).map(([, value]) => value);
        const values = [stepAt(ring, from), ...inside];
        expect(stepExtent(ring, from, to)).toEqual({ min: Math.min(...values), max: Math.max(...values) });
      }),
      // Two steps where the window ends.
      {
        examples: [
          [
            [
              [5, 1],
              [5, 0],
            ],
            2,
            3,
          ],
        ],
      },
    );
  });
});

describe('time scale', () => {
  const bounds = wholeTrace(1000);
  const scaleOf = (window: { startUs: number; endUs: number }) => ({ window, leftPx: 80, widthPx: 800 });

  it('keeps the time under the pointer while zooming, unless the bounds forbid it', () => {
    fc.assert(
      fc.property(
        anyWindow,
        fc.double({ min: 0.1, max: 10, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (any, factor, share) => {
          const window = clampWindow(any, bounds);
          const atUs = window.startUs + share * (window.endUs - window.startUs);
          const zoomed = zoomAt(window, factor, atUs, bounds);
          expect(zoomed.startUs).toBeGreaterThanOrEqual(bounds.startUs - 1e-9);
          expect(zoomed.endUs).toBeLessThanOrEqual(bounds.endUs + 1e-9);
          const free = zoomed.startUs > bounds.startUs + 1e-6 && zoomed.endUs < bounds.endUs - 1e-6;
          if (free) expect(usToPx(scaleOf(zoomed), atUs)).toBeCloseTo(usToPx(scaleOf(window), atUs), 4);
        },
      ),
    );
  });

  it('maps pixels to times and back', () => {
    const scale = scaleOf({ startUs: 250, endUs: 500 });
    expect(usToPx(scale, pxToUs(scale, 333))).toBeCloseTo(333, 9);
    expect(panBy(bounds, 1e9, bounds)).toEqual(bounds);
  });

  it('puts ticks on round times', () => {
    expect(ticks(scaleOf({ startUs: 0, endUs: 104_000 }), 90)).toMatchObject({ stepUs: 20_000 });
    expect(ticks(scaleOf({ startUs: 0, endUs: 104_000 }), 90).atUs).toHaveLength(6);
    expect(formatTick(20_000, 20_000, 104_000)).toBe('20\u2009ms');
    expect(formatTick(12_500, 500, 104_000)).toBe('12.5\u2009ms');
    expect(formatTick(12.5, 0.5, 80)).toBe('12.5\u2009µs');
    expect(formatTick(24_260_000, 10_000, 24_400_000)).toBe('24.26\u2009s');
    expect(formatMoment(16_512)).toBe('16.512\u2009ms');
    expect(formatDuration(7.25)).toBe('7.3\u2009µs');
    expect(formatDuration(12_340)).toBe('12.3\u2009ms');
  });
});

describe('labels', () => {
  it('keep the end of a name, which tells neighbours apart', () => {
    const name = '/features/block0/conv1';
    const fits = (room: number) => fitText(name, room);
    expect([22, 21, 14, 13, 7, 5, 4].map(fits)).toEqual([
      name,
      '…/block0/conv1',
      '…/block0/conv1',
      '…/conv1',
      '…/conv1',
      'conv1',
      '',
    ]);
    expect(fitText('model.layers.12.mlp', 10)).toBe('….12.mlp');
    expect(fitText('downsampling', 8)).toBe('downsam…');
    expect(fitText('net/MatMul.24/MatmulTransposeFusion/', 9)).toBe('MatmulTr…');
  });
});

describe('pointing', () => {
  const columns = traceOf(
    [
      ['read', 0, 0, 100, 10],
      ['wait', 0, 0, 101, 10],
      ['compute', 0, 101, 50, 10],
      ['read', 1, 100, 300, 20],
      ['wait', 1, 151, 250, 20],
      ['compute', 1, 401, 1, 20],
    ],
    [[100, 10]],
  );
  const model = buildTrace(columns);
  const layout = layoutLanes([model], 300);
  const scale = { window: { startUs: 0, endUs: 500 }, leftPx: 0, widthPx: 500 };
  const yOf = (kind: SpanKind | 'ring') =>
    boxOf(
      layout,
      0,
      model.lanes.findIndex(({ key }) => key === kind),
    )!.topPx + 2;

  it('finds the span under the pointer, a thin one near it, and none in a gap', () => {
    expect(hitTest([model], layout, scale, 250, yOf('read'))).toMatchObject({ ref: { trace: 0, span: 2 } });
    expect(hitTest([model], layout, scale, 404, yOf('compute'))).toMatchObject({
      ref: { trace: 0, span: 5 },
    });
    expect(hitTest([model], layout, scale, 300, yOf('compute'))).toBeUndefined();
    expect(hitTest([model], layout, scale, 200, yOf('ring'))).toMatchObject({ kind: 'ring', bytes: 10 });
    expect(hitTest([model], layout, scale, 200, AXIS_PX - 1)).toBeUndefined();
  });

  it('snaps to the nearest edge within reach', () => {
    const rows = model.kinds.compute.rows;
    expect(snapToEdge(rows, 148, 6)).toBe(151);
    expect(snapToEdge(rows, 130, 6)).toBe(130);
  });

  it('steps to neighbours of the same kind', () => {
    expect(columns.kind[neighbourSpan(model, 0, 1)!]).toBe(columns.kind[0]);
    expect(neighbourSpan(model, 5, 1)).toBeUndefined();
    const [first, second] = model.kinds.wait.rows[0]!.span;
    expect(waitAfter(model, { span: first! })).toBe(second);
    expect(waitAfter(model, { span: second! })).toBe(first);
    expect(waitAfter(model, { atUs: 50 })).toBe(second);
    expect(mainSpanOf(model, 1)).toBe(5);
    expect(mainSpanOf(model, 9)).toBeUndefined();
    expect(extentOfGroup(model, 1)).toEqual({ startUs: 100, endUs: 402 });
    expect(extentOfGroup(model, 7)).toBeUndefined();
  });

  it('blames the read that ended a wait, and nothing when no read did', () => {
    const waits = [...model.kinds.wait.rows[0]!.span];
    expect(causeOfWait(model, waits[0]!)).toBe(0);
    expect(columns.layer[causeOfWait(model, waits[1]!)!]).toBe(1);
    const lonely = buildTrace(
      traceOf([
        ['read', 0, 0, 10, 1],
        ['wait', 1, 900, 50, 1],
      ]),
    );
    expect(causeOfWait(lonely, 1)).toBeUndefined();
  });
});
