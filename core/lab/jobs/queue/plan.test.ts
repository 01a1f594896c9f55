import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { JobNode, JobResources } from '../job-engine';
import { subtract } from '../resources';

import { planStarts, type PlanInput, type Reservation } from './plan';
import { DEFAULT_POLICY, decayed, HOUR_MS, MINUTE_MS, weightOf } from './queue-policy';
import type { RunningJob, WaitingJob } from './waiting-order';

const of = (cpus: number, gpus = 0, memoryBytes = 0): JobResources => ({ cpus, gpus, memoryBytes });

function node(name: string, total: JobResources, free = total): JobNode {
  return { name, total, free, isUp: true };
}

function job(key: string, resources: JobResources, more: Partial<WaitingJob> = {}): WaitingJob {
  const rest = { user: 'ann', priority: 0, submittedMs: 0, limitMs: undefined, preferredNodes: [] };
  return { key, resources, ...rest, ...more };
}

function ran(key: string, resources: JobResources, more: Partial<RunningJob> = {}): RunningJob {
  return { key, resources, user: 'ann', node: 'a', startedMs: 0, limitMs: undefined, ...more };
}

function plan(waiting: readonly WaitingJob[], more: Partial<PlanInput> = {}): ReturnType<typeof planStarts> {
  const nodes = [node('a', of(4))];
  const rest = { nowMs: 0, running: [], useOf: () => 0, lastBegunMs: () => undefined };
  const free = { heldBack: () => undefined, reserved: undefined };
  return planStarts({ nodes, ...rest, ...free, policy: DEFAULT_POLICY, waiting, ...more });
}

const keysOf = ({ starts }: ReturnType<typeof planStarts>): readonly string[] => starts.map(({ key }) => key);

describe('planStarts', () => {
  it('starts in the order of priority, and says what the others wait for', () => {
    const { starts, reasons } = plan([
      job('low', of(2)),
      job('high', of(3), { priority: 1 }),
      job('small', of(1)),
    ]);
    expect(starts).toEqual([{ key: 'high', node: 'a' }]);
    expect([...reasons]).toEqual([
      ['low', 'waits for 2 CPUs'],
      ['small', 'waits for its turn: low comes first and waits for 2 CPUs'],
    ]);
  });

  it('takes turns among users, those first who have used least', () => {
    const waiting = ['x1', 'x2', 'x3', 'y1', 'y2', 'y3'].map((key) => job(key, of(1), { user: key[0]! }));
    expect(keysOf(plan(waiting))).toEqual(['x1', 'y1', 'x2', 'y2']);
    const useOf = (user: string): number => (user === 'x' ? 12 * MINUTE_MS : 0);
    expect(keysOf(plan(waiting, { useOf }))).toEqual(['y1', 'y2', 'x1', 'y3']);
    // What x runs was begun just now and has not been charged yet.
    const running = [ran('x0', of(1), { user: 'x' })];
    const nodes = [node('a', of(4), of(3))];
    expect(keysOf(plan(waiting, { running, nodes }))).toEqual(['y1', 'x1', 'y2']);
  });

  it.each<[string, Partial<WaitingJob>, string]>([
    ['the node that has the dataset', { preferredNodes: ['gone', 'c', 'b'] }, 'c'],
    ['the fullest node that it fits', {}, 'b'],
    ['one with GPUs last', { resources: of(4) }, 'gpu'],
  ])('prefers %s', (_what, more, wanted) => {
    const nodes = [
      node('a', of(4), of(3)),
      node('b', of(4), of(2)),
      node('c', of(4), of(3)),
      node('gpu', of(4, 2)),
    ];
    expect(plan([job('one', of(2), more)], { nodes }).starts).toEqual([{ key: 'one', node: wanted }]);
  });

  it('fills gaps before a large job only with what ends in time or leaves its part', () => {
    const running = [ran('old', of(2), { limitMs: HOUR_MS })];
    const nodes = [node('a', of(4, 1), of(2, 1))];
    const waiting = [
      job('large', of(3)),
      job('long', of(1), { limitMs: 2 * HOUR_MS }),
      job('endless', of(1)),
      job('short', of(1), { limitMs: HOUR_MS / 2 }),
    ];
    const { starts, reasons, reserved } = plan(waiting, { running, nodes });
    expect(starts).toEqual([{ key: 'short', node: 'a' }]);
    expect(reserved).toEqual({ key: 'large', node: 'a' });
    expect(reasons.get('large')).toBe('waits for 3 CPUs');
    expect(reasons.get('endless')).toMatch(/^waits for its turn: large comes first/);
    const gpu = [job('gpus', of(1, 2)), job('beside', of(1))];
    const two = [node('a', of(4, 2), of(3, 1))];
    expect(keysOf(plan(gpu, { nodes: two, running: [ran('old', of(1, 1))] }))).toEqual(['beside']);
  });

  it('keeps the node of a large job from one plan to the next', () => {
    const nodes = [node('a', of(4), of(1)), node('b', of(4), of(2))];
    const waiting = [job('large', of(4)), job('small', of(1))];
    expect(plan(waiting, { nodes }).reserved?.node).toBe('b');
    const reserved = { key: 'large', node: 'a' };
    const next = plan(waiting, { nodes, reserved });
    expect(next.reserved).toEqual(reserved);
    expect(next.starts).toEqual([{ key: 'small', node: 'b' }]);
  });

  it('holds back those at a limit without holding up others', () => {
    const policy = { ...DEFAULT_POLICY, mostPerUser: { running: 2, waiting: 9, cpus: 3, gpus: 0 } };
    const waiting = [
      job('one', of(1)),
      job('wide', of(3)),
      job('gpu', of(1, 1)),
      job('two', of(1)),
      job('three', of(1)),
      job('bob1', of(1), { user: 'bob' }),
      job('broke', of(1), { user: 'eve' }),
    ];
    const heldBack = ({ user }: WaitingJob): string | undefined => (user === 'eve' ? 'no budget' : undefined);
    const nodes = [node('a', of(8, 1))];
    const { starts, reasons } = plan(waiting, { policy, heldBack, nodes });
    expect(starts.map(({ key }) => key).sort()).toEqual(['bob1', 'one', 'two']);
    expect(Object.fromEntries(reasons)).toEqual({
      wide: 'ann may have 3 CPUs at once, and has 1',
      gpu: 'ann may have 0 GPUs at once, and has 0',
      three: 'ann has 2 jobs running, the most allowed',
      broke: 'no budget',
    });
  });

  it('tells what no node can ever run from what waits for a node to come back', () => {
    const nodes = [node('a', of(2)), { ...node('big', of(8)), isUp: false }];
    const { impossible, reasons } = plan([job('huge', of(16)), job('large', of(8)), job('small', of(1))], {
      nodes,
    });
    expect([...impossible]).toEqual([['huge', 'it asks for 16 CPUs, more than any node has']]);
    expect(reasons.get('large')).toBe('waits for a node with 8 CPUs to come back');
    expect(reasons.has('small')).toBe(false);
  });
});

interface Arrival {
  readonly minutes: number;
  readonly job: WaitingJob;
}

/** Plays a queue minute by minute. @returns when each job began, in minutes. */
function play(
  total: JobResources,
  untilMin: number,
  arrive: (minute: number, waiting: readonly WaitingJob[]) => readonly Arrival[],
  onMinute: (running: readonly RunningJob[]) => void = () => undefined,
): ReadonlyMap<string, number> {
  const began = new Map<string, number>();
  const use = new Map<string, number>();
  const minutesOf = new Map<string, number>();
  const lastMs = new Map<string, number>();
  let waiting: WaitingJob[] = [];
  let running: (RunningJob & { endMs: number })[] = [];
  let reserved: Reservation | undefined;
  for (let minute = 0; minute < untilMin; minute += 1) {
    const nowMs = minute * MINUTE_MS;
    running = running.filter(({ endMs }) => endMs > nowMs);
    for (const arrival of arrive(minute, waiting)) {
      waiting.push(arrival.job);
      minutesOf.set(arrival.job.key, arrival.minutes);
    }
    const free = running.reduce((left, { resources }) => subtract(left, resources), total);
    const nodes = [node('a', total, free)];
    const useOf = (user: string): number => use.get(user) ?? 0;
    const next = plan(waiting, {
      nowMs,
      running,
      nodes,
      useOf,
      reserved,
      lastBegunMs: (user, priority) => lastMs.get(`${user} ${priority}`),
    });
    reserved = next.reserved;
    for (const { key } of next.starts) {
      const started = waiting.find((one) => one.key === key)!;
      began.set(key, minute);
      lastMs.set(`${started.user} ${started.priority}`, nowMs);
      const endMs = nowMs + minutesOf.get(key)! * MINUTE_MS;
      running.push({ ...ran(key, started.resources), ...started, startedMs: nowMs, endMs });
    }
    waiting = waiting.filter(({ key }) => !began.has(key));
    const held = running.reduce((sum, { resources }) => sum + resources.cpus, 0);
    expect(held).toBeLessThanOrEqual(total.cpus);
    for (const user of new Set([...use.keys(), ...running.map((one) => one.user)])) {
      const own = running.filter((one) => one.user === user);
      const added = own.reduce(
        (sum, { resources }) => sum + weightOf(resources, DEFAULT_POLICY) * MINUTE_MS,
        0,
      );
      use.set(user, decayed(useOf(user), MINUTE_MS, DEFAULT_POLICY) + added);
    }
    onMinute(running);
  }
  return began;
}

describe('over time', () => {
  const small = fc.record({
    cpus: fc.integer({ min: 1, max: 3 }),
    minutes: fc.integer({ min: 1, max: 20 }),
    isLimited: fc.boolean(),
  });

  it('gives users that always have jobs the same, however large or many theirs are', () => {
    fc.assert(
      fc.property(fc.array(small, { minLength: 2, maxLength: 4 }), (shapes) => {
        const cpuMinutes = shapes.map(() => 0);
        const arrive = (minute: number, waiting: readonly WaitingJob[]): Arrival[] =>
          shapes.flatMap(({ cpus, minutes }, index) => {
            const user = `${index}`;
            // The more jobs the later the user: numbers must not matter.
            const missing = 4 + 3 * index - waiting.filter((one) => one.user === user).length;
            return Array.from({ length: missing }, (_, n) => ({
              minutes,
              job: job(`${user}-${minute}-${n}`, of(cpus), { user, submittedMs: minute * MINUTE_MS }),
            }));
          });
        play(of(4), 300, arrive, (running) => {
          for (const { user, resources } of running) cpuMinutes[Number(user)]! += resources.cpus;
        });
        // As near as turns can come: what runs is not taken back, and what has just begun counts as ten minutes.
        const longest = Math.max(...shapes.map(({ minutes }) => minutes));
        expect(Math.max(...cpuMinutes) - Math.min(...cpuMinutes)).toBeLessThanOrEqual(4 * (longest + 10));
      }),
      { numRuns: 20 },
    );
  });

  it('lets no large job wait longer than for what ran when its turn came, however many small ones come', () => {
    fc.assert(
      fc.property(fc.array(small, { minLength: 1, maxLength: 6 }), (shapes) => {
        const arrive = (minute: number): Arrival[] => {
          const { cpus, minutes, isLimited } = shapes[minute % shapes.length]!;
          const limitMs = isLimited ? minutes * MINUTE_MS : undefined;
          const submittedMs = minute * MINUTE_MS;
          const next = { minutes, job: job(`s${minute}`, of(cpus), { user: 'bob', submittedMs, limitMs }) };
          return minute === 5 ? [next, { minutes: 5, job: job('large', of(4), { submittedMs }) }] : [next];
        };
        // Its user has used nothing: its turn is at once, and nothing runs longer than 20 minutes.
        expect(play(of(4), 40, arrive).get('large')).toBeLessThanOrEqual(5 + 20);
      }),
      { numRuns: 50 },
    );
  });

  it('lets priority give way to age in the end', () => {
    const arrive = (minute: number): Arrival[] => {
      const urgent = job(`u${minute}`, of(4), { priority: 2, submittedMs: minute * MINUTE_MS });
      const humble = { minutes: 1, job: job('humble', of(1), { user: 'bob' }) };
      return minute === 0
        ? [{ minutes: 2, job: urgent }, humble]
        : minute % 2 === 0
          ? [{ minutes: 2, job: urgent }]
          : [];
    };
    expect(play(of(4), 200, arrive).get('humble')).toBeLessThanOrEqual(3 * 60 + 2);
  });
});
