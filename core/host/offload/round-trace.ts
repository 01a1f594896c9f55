import { REMOTE_STAGES } from '../../contract';
import type { RemoteStage, RemoteTrace, TierName } from '../../contract';
import type { Answer } from '../../offload';

interface Span {
  readonly lane: number;
  readonly stage: RemoteStage;
  readonly user: number;
  readonly startMs: number;
  readonly ms: number;
  readonly bytes: number;
}

/** Where the time of a round went. @param nameOf of an endpoint, by id. */
export function roundTrace(
  decisionId: number,
  answers: readonly Answer[],
  nameOf: (endpointId: string) => string,
): RemoteTrace {
  const lanes = new Map<string, { readonly index: number; readonly tier: TierName }>();
  const laneOf = (endpointId: string, tier: TierName): number => {
    const lane = lanes.get(endpointId) ?? { index: lanes.size, tier };
    lanes.set(endpointId, lane);
    return lane.index;
  };
  const spans = answers.flatMap((answer, user) => spansOf(answer, user, laneOf));
  spans.sort((a, b) => a.startMs - b.startMs);
  return {
    decisionId,
    lane: Uint8Array.from(spans, ({ lane }) => lane),
    kind: Uint8Array.from(spans, ({ stage }) => REMOTE_STAGES.indexOf(stage)),
    user: Uint16Array.from(spans, ({ user }) => user),
    startUs: Float64Array.from(spans, ({ startMs }) => startMs * 1000),
    durationUs: Float64Array.from(spans, ({ ms }) => ms * 1000),
    bytes: Float64Array.from(spans, ({ bytes }) => bytes),
    laneNames: [...lanes.keys()].map(nameOf),
    laneTiers: [...lanes.values()].map(({ tier }) => tier),
  };
}

function spansOf(
  { by, failures }: Answer,
  user: number,
  laneOf: (endpointId: string, tier: TierName) => number,
): Span[] {
  const lost = failures.map(({ endpointId, tier, startMs, lostMs }): Span => ({
    lane: laneOf(endpointId, tier),
    stage: 'lost',
    user,
    startMs,
    ms: lostMs,
    bytes: 0,
  }));
  if (!by) return lost;
  const { sendMs, queueMs, computeMs, receiveMs, sentBytes, receivedBytes } = by.stages;
  const stages: readonly (readonly [RemoteStage, number, number])[] = [
    ['send', sendMs, sentBytes],
    ['queue', queueMs, 0],
    ['compute', computeMs, 0],
    ['receive', receiveMs, receivedBytes],
  ];
  const lane = laneOf(by.endpointId, by.tier);
  let { startMs } = by;
  const answered = stages.flatMap(([stage, ms, bytes]): Span[] => {
    const span = { lane, stage, user, startMs, ms, bytes };
    startMs += ms;
    return ms > 0 ? [span] : [];
  });
  return [...lost, ...answered];
}
