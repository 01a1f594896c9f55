import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { REMOTE_STAGES } from '../../core/contract';
import { FAKE_REMOTE_TRACE, remoteTraceOf } from '../test-support/fake-offload';
import type { PlainStage } from '../test-support/fake-offload';
import { describeSpan } from './describe-hit';
import { hitTest } from './hit-test';
import { boxOf, layoutLanes, rowBox } from './lane-layout';
import { sumKinds } from './range-sums';
import { buildRequestTrace } from './request-trace';
import { kindOf } from './trace-model';
import { extentOfGroup, mainSpanOf, neighbourSpan, waitAfter } from './walk';

const LANES = [
  ['device', 'device'],
  ['edge-7', 'edge'],
] as const;

const plainStage: fc.Arbitrary<PlainStage> = fc.tuple(
  fc.nat(1),
  fc.constantFrom(...REMOTE_STAGES),
  fc.nat(4),
  fc.nat(1000),
  fc.nat(120),
  fc.nat(1000),
);

const plain = (text: string): string => text.replaceAll('\u2009', ' ');

describe('the requests of a round', () => {
  const model = buildRequestTrace(FAKE_REMOTE_TRACE);
  const spanOf = (kind: string, user: number): number =>
    [...model.columns.user.keys()].find(
      (span) => kindOf(model, span) === kind && model.columns.user[span] === user,
    )!;

  it('have a lane for each place, named after it', () => {
    expect(model.lanes.map(({ title, note, rows }) => [title, note, rows.length])).toEqual([
      ['device', undefined, 1],
      ['edge-7', 'edge', 2],
      ['cloud-eu', 'cloud', 1],
    ]);
    expect(model.durationUs).toBe(17_360);
  });

  it('keep every span once, in rows of one user that never overlap', () => {
    fc.assert(
      fc.property(fc.array(plainStage, { maxLength: 50 }), (stages) => {
        const any = buildRequestTrace(remoteTraceOf(stages, LANES));
        const seen: number[] = [];
        any.lanes.forEach(({ rows }, lane) => {
          rows.forEach((row, index) => {
            const users = new Set([...row.span].map((span) => any.columns.user[span]));
            expect(users.size).toBe(1);
            for (const span of row.span) expect([any.laneOf[span], any.rowOf[span]]).toEqual([lane, index]);
            for (let i = 1; i < row.start.length; i += 1)
              expect(row.start[i]).toBeGreaterThanOrEqual(row.end[i - 1]!);
            seen.push(...row.span);
          });
        });
        expect(seen.sort((a, b) => a - b)).toEqual([...any.columns.kind.keys()]);
      }),
    );
  });

  it('are summed by stage over all places', () => {
    const sums = sumKinds(model.kinds, { startUs: 0, endUs: model.durationUs });
    expect(sums.send).toMatchObject({ busyUs: 7000, bytes: 2 * 602_112, spans: 2 });
    expect(sums.queue).toMatchObject({ summedUs: 1660, spans: 2 });
    expect(sums.lost).toMatchObject({ busyUs: 6200, spans: 1 });
    const half = sumKinds(model.kinds, { startUs: 0, endUs: 1010 });
    expect(half.send.busyUs).toBe(950);
    expect(half.send.bytes).toBeCloseTo(602_112 / 2);
  });

  it('are found under the pointer, each user in a row of their own', () => {
    const layout = layoutLanes([model], 400);
    const scale = { window: { startUs: 0, endUs: 17_360 }, leftPx: 0, widthPx: 1736 };
    const box = boxOf(layout, 0, 1)!;
    const lane = model.lanes[1]!;
    const at = (row: number, us: number) => {
      const { topPx, heightPx } = rowBox(box, lane, row);
      return hitTest([model], layout, scale, us / 10, topPx + heightPx / 2);
    };
    expect(at(0, 5000)).toMatchObject({ ref: { span: spanOf('compute', 1) } });
    expect(at(1, 5000)).toMatchObject({ ref: { span: spanOf('lost', 2) } });
    expect(at(1, 9000)).toBeUndefined();
    // Few rows: a lane gets no more height than they need.
    expect(box.heightPx).toBeLessThanOrEqual(80);
  });

  it('tell user, place, stage and rate', () => {
    const { title, lines } = describeSpan(model, spanOf('send', 1));
    expect(title).toBe('user 2, edge-7');
    expect(lines.map(({ label, value }) => `${label} ${plain(value)}`)).toEqual([
      'Send 1.90 ms',
      'from 60.0 µs',
      'bytes 588 KiB',
      'rate 317 MB/s',
    ]);
    expect(describeSpan(model, spanOf('lost', 2)).lines).toHaveLength(2);
  });

  it('are stepped through by stage and by queue, and shown user by user', () => {
    const compute = spanOf('compute', 0);
    expect(neighbourSpan(model, compute, 1)).toBe(spanOf('compute', 1));
    expect(waitAfter(model, { span: compute })).toBe(spanOf('queue', 1));
    expect(waitAfter(model, { span: spanOf('queue', 2) })).toBe(spanOf('queue', 1));
    expect(mainSpanOf(model, 2)).toBe(spanOf('compute', 2));
    expect(extentOfGroup(model, 2)).toEqual({ startUs: 80, endUs: 17_360 });
    expect(extentOfGroup(model, 9)).toBeUndefined();
  });
});
