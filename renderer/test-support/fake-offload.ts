import { REMOTE_STAGES, TIER_NAMES } from '../../core/contract';
import type {
  Belief,
  DecisionRecord,
  EndpointRecord,
  LearningCurve,
  NodeState,
  OffloadState,
  RemoteStage,
  RemoteTrace,
  TierName,
  UserDecision,
  VariantRecord,
} from '../../core/contract';

/** Test data only: a deployment of made-up but consistent shape. Nothing here reaches the product. */
const WIDTHS = [
  ['1.0', 70.9, 28],
  ['0.75', 68.4, 17],
  ['0.5', 63.7, 9],
  ['0.25', 50.6, 4],
] as const;

/** MobileNetV1 in four widths, fp32 then int8: `d1` ... `d8`. */
export const FAKE_VARIANTS: readonly VariantRecord[] = (['fp32', 'int8'] as const).flatMap(
  (precision, half) =>
    WIDTHS.map(([width, accuracyPct], index) => ({
      id: `d${half * 4 + index + 1}`,
      model: `mobilenet-v1-${width}-${precision}`,
      title: `MobileNetV1 ${width} ${precision}`,
      accuracyPct: accuracyPct + (half === 0 ? 0 : -1.2),
      source: 'TensorFlow-Slim, MobileNet_v1.md, ImageNet top 1',
    })),
);

const SPEED: Readonly<Record<TierName, number>> = { device: 1, edge: 0.45, cloud: 0.2 };
const LINK_MS: Readonly<Record<TierName, number>> = { device: 0, edge: 6, cloud: 21 };

/** Milliseconds a variant takes on a tier, the way there and back included. */
export function fakeResponseMs(tier: TierName, variant: string): number {
  const index = FAKE_VARIANTS.findIndex(({ id }) => id === variant);
  const fp32Ms = WIDTHS[index % WIDTHS.length]?.[2] ?? 30;
  return LINK_MS[tier] + SPEED[tier] * fp32Ms * (index < WIDTHS.length ? 1 : 0.62);
}

export function fakeNodes(part: Partial<Record<TierName, Partial<NodeState>>> = {}): readonly NodeState[] {
  return TIER_NAMES.map((tier) => ({
    tier,
    cpu: 'free',
    memory: 'ample',
    link: 'regular',
    ...part[tier],
  }));
}

export function fakeDeployment(part: Partial<OffloadState> = {}): OffloadState {
  return {
    state: 'idle',
    settings: { users: 3, thresholdPct: 65, agent: 'hybrid', periodMs: 100, explorationCap: 0.1 },
    variants: FAKE_VARIANTS,
    agents: [
      'local-only',
      'edge-only',
      'cloud-only',
      'offload-only',
      'q-learning',
      'dqn',
      'hybrid',
      'linucb',
    ],
    pins: [],
    learningPaused: false,
    learnedSteps: 0,
    canRestore: false,
    rounds: 0,
    answeredElsewhere: 0,
    nodes: fakeNodes(),
    ...part,
  };
}

export const EMPTY_DEPLOYMENT: OffloadState = fakeDeployment({ variants: [] });

export function fakeEndpoint(
  part: Partial<Omit<EndpointRecord, 'health'>> & {
    readonly name: string;
    readonly health?: Partial<EndpointRecord['health']>;
  },
): EndpointRecord {
  return {
    id: `id-${part.name}`,
    tier: 'edge',
    url: `http://${part.name}:8000`,
    token: 'none',
    inUse: true,
    ...part,
    health: {
      state: 'ready',
      checkedAt: '2026-05-01T10:00:00.000Z',
      roundTripMs: 2.4,
      bytesPerSec: 38e6,
      link: 'regular',
      queueLength: 3,
      queueCapacity: 16,
      busyPct: 22,
      availableBytes: 2.1 * 2 ** 30,
      breaker: 'closed',
      server: 'sluice 0.1.0',
      offers: FAKE_VARIANTS.map(({ id }) => id),
      ...part.health,
    },
  };
}

export function fakeUser(part: Partial<UserDecision> = {}): UserDecision {
  const { tier = 'edge', variant = 'd2' } = part;
  const predictedMs = fakeResponseMs(tier, variant);
  return {
    tier,
    variant,
    pinned: false,
    predictedMs,
    answeredBy: tier,
    responseMs: predictedMs * 1.06,
    failures: [],
    ...part,
  };
}

/** A round that is over; `at` follows the id, ten rounds a second. */
export function fakeDecision(part: Partial<DecisionRecord> & { readonly id: number }): DecisionRecord {
  const users = part.users ?? [fakeUser()];
  const meanResponseMs = users.reduce((sum, user) => sum + (user.responseMs ?? 0), 0) / users.length;
  return {
    at: new Date(Date.UTC(2026, 4, 1, 10) + part.id * 100).toISOString(),
    agent: 'hybrid',
    reason: 'best-known',
    thresholdPct: 65,
    users,
    predictedMs: users.reduce((sum, user) => sum + (user.predictedMs ?? 0), 0) / users.length,
    meanResponseMs,
    meanAccuracyPct: 68.4,
    rewardMs: -meanResponseMs,
    nodes: fakeNodes(),
    ...part,
  };
}

/** What an agent that knows the made-up times believes. */
export function fakeBeliefs(deployment: OffloadState): readonly Belief[] {
  const barred = new Set(deployment.nodes.filter((node) => node.barred).map(({ tier }) => tier));
  return Array.from({ length: deployment.settings.users }, (_, user) => user).flatMap((user) =>
    TIER_NAMES.flatMap((tier) =>
      deployment.variants.map(({ id, accuracyPct }, index): Belief => {
        const below = accuracyPct < deployment.settings.thresholdPct - 4;
        const why = barred.has(tier) ? 'endpoint-down' : below ? 'below-threshold' : undefined;
        const responseMs = fakeResponseMs(tier, id);
        return {
          user,
          tier,
          variant: id,
          accuracyPct,
          ...(index === 6 && tier === 'cloud'
            ? {}
            : { predictedMs: responseMs, predictedMeanMs: responseMs + 2 }),
          meanAccuracyPct: accuracyPct,
          ...(index % 3 === 0 ? {} : { measuredMs: responseMs * 1.06 }),
          measurements: index % 3 === 0 ? 0 : 12 + index,
          chosen: tier === 'edge' && id === 'd2',
          ...(why === undefined ? {} : { barred: why }),
        };
      }),
    ),
  );
}

/** Falls from 80 to 20 ms over a thousand steps. */
export function fakeLearning(points = 60): LearningCurve {
  const step = Float64Array.from({ length: points }, (_, index) => Math.round(10 ** ((index / points) * 3)));
  const meanResponseMs = step.map((at) => 20 + 60 / (1 + at / 12));
  return {
    step,
    meanResponseMs,
    rewardMs: meanResponseMs.map((ms) => -ms),
    predictionErrorPct: step.map((at) => (at < 3 ? Number.NaN : 4 + 70 / at)),
    exploredPct: step.map((at) => 100 / (1 + at / 30)),
  };
}

/** A stage as tests write it: lane, stage, user, start and duration in µs, bytes. */
export type PlainStage = readonly [
  lane: number,
  stage: RemoteStage,
  user: number,
  startUs: number,
  durationUs: number,
  bytes: number,
];

export function remoteTraceOf(
  stages: readonly PlainStage[],
  lanes: readonly (readonly [name: string, tier: TierName])[],
): RemoteTrace {
  const sorted = [...stages].sort((a, b) => a[3] - b[3]);
  return {
    decisionId: 1,
    lane: Uint8Array.from(sorted, ([lane]) => lane),
    kind: Uint8Array.from(sorted, (stage) => REMOTE_STAGES.indexOf(stage[1])),
    user: Uint16Array.from(sorted, (stage) => stage[2]),
    startUs: Float64Array.from(sorted, (stage) => stage[3]),
    durationUs: Float64Array.from(sorted, (stage) => stage[4]),
    bytes: Float64Array.from(sorted, (stage) => stage[5]),
    laneNames: lanes.map(([name]) => name),
    laneTiers: lanes.map(([, tier]) => tier),
  };
}

/** Three users: one at home, one at the edge, one whose edge fails and whom the cloud answers. */
export const FAKE_REMOTE_TRACE: RemoteTrace = remoteTraceOf(
  [
    [0, 'compute', 0, 40, 9_100, 0],
    [1, 'send', 1, 60, 1_900, 602_112],
    [1, 'queue', 1, 1_960, 1_400, 0],
    [1, 'compute', 1, 3_360, 7_800, 0],
    [1, 'receive', 1, 11_160, 320, 4_004],
    [1, 'lost', 2, 80, 6_200, 0],
    [2, 'send', 2, 6_300, 5_100, 602_112],
    [2, 'queue', 2, 11_400, 260, 0],
    [2, 'compute', 2, 11_660, 3_300, 0],
    [2, 'receive', 2, 14_960, 2_400, 4_004],
  ],
  [
    ['device', 'device'],
    ['edge-7', 'edge'],
    ['cloud-eu', 'cloud'],
  ],
);
