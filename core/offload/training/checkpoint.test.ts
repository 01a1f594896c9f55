import { createHash } from 'node:crypto';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { SluiceError } from '../../contract';
import { createAgent } from '../agents/registry';
import { SimulatedTestbed } from '../environment/simulated-testbed';
import { freeConstraints } from '../learning/constraints';
import { builtInScenario } from '../scenario/built-in';
import { meanAccuracyPct, systemOf } from '../scenario/system';
import { decodeCheckpoint, encodeCheckpoint } from './checkpoint';
import { EvaluationSet, statesOf } from './evaluation';
import { trainStep } from './train';

const LEARNERS = ['offload-only', 'q-learning', 'dqn', 'hybrid', 'linucb', 'factored'] as const;
const USERS = 2;
const scenario = builtInScenario({ users: USERS, links: 'B' });
const system = systemOf(scenario);

function trainedOn(name: string, users: number, steps: number) {
  const own = builtInScenario({ users, links: 'B' });
  const testbed = new SimulatedTestbed(own, 1);
  const agent = createAgent(name, testbed.system, 1);
  const constraints = freeConstraints(testbed.system, 85);
  const action = new Uint8Array(users);
  for (let step = 0; step < steps; step += 1) trainStep(agent, testbed, constraints, action);
  return agent;
}

describe('checkpoints', () => {
  it.each(LEARNERS)('%s decides the same after a round trip', (name) => {
    const agent = trainedOn(name, USERS, 150);
    const again = decodeCheckpoint(encodeCheckpoint(agent), 'a.json', system, 99);
    expect(again.id).toBe(agent.id);
    const constraints = freeConstraints(system, 85);
    for (const state of statesOf(scenario, 4, 16)) {
      const [before, after] = [new Uint8Array(USERS), new Uint8Array(USERS)];
      agent.decide(state, constraints, before);
      again.decide(state, constraints, after);
      expect(after).toEqual(before);
    }
    expect(encodeCheckpoint(again)).toBe(encodeCheckpoint(agent));
  });

  it.each(['dqn', 'hybrid', 'linucb', 'factored'])('%s transfers to another number of users', (name) => {
    const text = encodeCheckpoint(trainedOn(name, USERS, 300));
    for (const users of [1, 4]) {
      const wanted = builtInScenario({ users, links: 'B' });
      const agent = decodeCheckpoint(text, 'a.json', systemOf(wanted), 1);
      expect(new EvaluationSet(wanted, statesOf(wanted, 4, 4), 85).evaluate(agent).violations).toBe(0);
    }
  });

  it('carries what factored learned over: no worse than two times the optimum without a single real step', () => {
    const text = encodeCheckpoint(trainedOn('factored', 4, 150));
    const wanted = builtInScenario({ users: 3, links: 'B' });
    const agent = decodeCheckpoint(text, 'a.json', systemOf(wanted), 1);
    const { optimalityGapPct } = new EvaluationSet(wanted, statesOf(wanted, 4, 8), 85).evaluate(agent);
    expect(optimalityGapPct).toBeLessThan(5);
  });

  it('does not transfer tables', () => {
    const text = encodeCheckpoint(trainedOn('q-learning', USERS, 50));
    expect(() => decodeCheckpoint(text, 'a.json', systemOf(builtInScenario({ users: 3 })), 1)).toThrow(
      /of 2 users says nothing about 3/,
    );
  });

  it('saves nothing of agents that do not learn', () => {
    expect(() => encodeCheckpoint(createAgent('edge-only', system, 1))).toThrow(/does not learn/);
  });

  const sound = encodeCheckpoint(trainedOn('factored', USERS, 20));
  const edited = (change: (document: Record<string, unknown>) => void): string => {
    const document = JSON.parse(sound) as Record<string, unknown>;
    change(document);
    return JSON.stringify(document);
  };

  it.each([
    ['empty', '', 'bad-input', /a\.json is no usable checkpoint: it is no JSON/],
    ['cut short', sound.slice(0, sound.length / 2), 'bad-input', /no JSON/],
    ['another document', '{}', 'bad-input', /does not say "sluice-offload-checkpoint"/],
    ['version 0', edited((d) => (d['version'] = 0)), 'bad-input', /expected version 1, found 0/],
    ['version 2', edited((d) => (d['version'] = 2)), 'unsupported', /version 2; this build reads version 1/],
    ['a version in text', edited((d) => (d['version'] = '1')), 'bad-input', /does not say/],
    ['no checksum', edited((d) => delete d['sha256']), 'bad-input', /sha256/],
    [
      'a changed number',
      sound.replace('"steps":20', '"steps":21'),
      'bad-input',
      /its checksum is .*, expected/,
    ],
    ['an unknown key', edited((d) => (d['extra'] = 1)), 'bad-input', /extra/],
  ])('refuses one that is %s', (_, text, code, message) => {
    const decode = () => decodeCheckpoint(text, 'a.json', system, 1);
    expect(decode).toThrow(message);
    expect(decode).toThrow(expect.objectContaining({ code }) as Error);
  });

  /** What stands for the checkpoint afterwards, or why it is refused. @throws what is no SluiceError of the kind. */
  const loaded = (bytes: Uint8Array): string | undefined => {
    try {
      return encodeCheckpoint(decodeCheckpoint(Buffer.from(bytes).toString('utf8'), 'a.json', system, 1));
    } catch (thrown) {
      if (!(thrown instanceof SluiceError)) throw thrown;
      expect(['bad-input', 'unsupported']).toContain(thrown.code);
      expect(thrown.message).toContain('a.json');
      return undefined;
    }
  };

  it.each(LEARNERS)(
    '%s: damage in any region of the file is refused and told, or changes nothing',
    (name) => {
      const text = encodeCheckpoint(trainedOn(name, USERS, 10));
      const file = Buffer.from(text);
      const at = fc.nat(file.length - 1);
      const damage = fc.oneof(
        // Bits, a lost block, a block of zeros, a block that stands twice, an end that was never written, alien bytes.
        fc.tuple(at, fc.integer({ min: 1, max: 255 })).map(([place, bits]) => {
          const copy = Buffer.from(file);
          copy[place]! ^= bits;
          return copy;
        }),
        fc.tuple(at, fc.integer({ min: 1, max: 64 })).map(([place, bytes]) => cut(file, place, bytes)),
        fc.tuple(at, fc.integer({ min: 1, max: 64 })).map(([place, bytes]) => {
          return Buffer.from(file).fill(0, place, Math.min(file.length, place + bytes));
        }),
        fc.tuple(at, fc.integer({ min: 1, max: 64 })).map(([place, bytes]) => {
          return spliced(file, place, file.subarray(place, place + bytes));
        }),
        at.map((place) => file.subarray(0, place)),
        fc.tuple(at, fc.uint8Array({ minLength: 1, maxLength: 8 })).map(([place, bytes]) => {
          return spliced(file, place, bytes);
        }),
      );
      fc.assert(
        fc.property(damage, (damaged) => {
          if (damaged.equals(file)) return;
          expect([undefined, text]).toContain(loaded(damaged));
        }),
        { numRuns: 300 },
      );
    },
  );

  it('damage to any single byte is seen', () => {
    const text = encodeCheckpoint(trainedOn('linucb', 1, 5));
    const file = Buffer.from(text);
    const one = systemOf(builtInScenario({ users: 1, links: 'B' }));
    for (let place = 0; place < file.length; place += 1) {
      const damaged = Buffer.from(file);
      damaged[place]! ^= 1;
      expect(() => decodeCheckpoint(damaged.toString('utf8'), 'a.json', one, 1)).toThrow(SluiceError);
    }
  });

  it.each(LEARNERS)(
    '%s: content of another shape under a right checksum is refused, or of no harm',
    (name) => {
      const text = encodeCheckpoint(trainedOn(name, USERS, 30));
      type Body = {
        numbers: Record<string, number>;
        arrays: Record<string, { dtype: string; base64: string }>;
      };
      const { body } = JSON.parse(text) as { body: Body };
      const arrays = Object.keys(body.arrays).flatMap((array) => [
        (copy: Body) => Reflect.deleteProperty(copy.arrays, array),
        (copy: Body) => (copy.arrays[array]!.base64 = ''),
        (copy: Body) => (copy.arrays[array]!.base64 = 'AAAA'),
        (copy: Body) => (copy.arrays[array]!.base64 += 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'),
        (copy: Body) => (copy.arrays[array]!.dtype = 'int32'),
      ]);
      const numbers = Object.keys(body.numbers).map(
        (number) => (copy: Body) => Reflect.deleteProperty(copy.numbers, number),
      );
      const constraints = freeConstraints(system, 85);
      const action = new Uint8Array(USERS);
      for (const change of [...arrays, ...numbers]) {
        const copy = structuredClone(body);
        change(copy);
        let agent;
        try {
          agent = decodeCheckpoint(sealed(copy), 'a.json', system, 1);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(SluiceError);
          continue;
        }
        // Tables are used as they are, without a network or a fit to even things out.
        if (name === 'q-learning') expect(copy.arrays).toEqual(body.arrays);
        for (const state of statesOf(scenario, 4, 16)) {
          agent.decide(state, constraints, action);
          expect(meanAccuracyPct(system, action)).toBeGreaterThanOrEqual(85 - 1e-6);
          expect(agent.predictMs(state, action)).not.toBeNaN();
        }
      }
    },
  );

  it('refuses weights learned for other choices', () => {
    const { tiers } = scenario;
    const fewer = { ...scenario, tiers: { ...tiers, cloud: { ...tiers.cloud, offers: ['d0'] } } };
    expect(() => decodeCheckpoint(sound, 'a.json', systemOf(fewer), 1)).toThrow(/learned with the choices/);
  });
});

/** A checkpoint with a body of one's own and the checksum that belongs to it. */
function sealed(body: object): string {
  const sha256 = createHash('sha256').update(JSON.stringify(body)).digest('hex');
  return JSON.stringify({ format: 'sluice-offload-checkpoint', version: 1, sha256, body });
}

function cut(file: Buffer, place: number, bytes: number): Buffer {
  return Buffer.concat([file.subarray(0, place), file.subarray(place + bytes)]);
}

function spliced(file: Buffer, place: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([file.subarray(0, place), bytes, file.subarray(place)]);
}
