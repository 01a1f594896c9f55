import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it, vi } from 'vitest';

import { writeZooModel, zooNetwork } from '../../../zoo';
import { runCli } from '../../test-support/run-cli';
import { benchLive } from './index';
import { judgeLive } from './live-bars';
import { LIVE_SCENARIO } from './live-scenario';

/** Three real processes on two tiny networks. */
const NETWORKS = ['tiny-mlp', 'tiny-cnn'] as const;
const SCENARIO = {
  roundsPerHalf: 6,
  blockRounds: 3,
  trainingRounds: 10,
  thresholdPct: 85,
  explorationCap: 1,
};

const FIXED = [
  ['local-only', 'device'],
  ['edge-only', 'edge'],
  ['cloud-only', 'cloud'],
] as const;

const UNLIMITED = { device: Infinity, edge: Infinity, cloud: Infinity };

let workDir: string;
const variants = NETWORKS.map((model, index) => ({
  id: `d${index}`,
  model,
  title: model,
  accuracyPct: 84 + 2 * index,
  source: 'this test',
}));

beforeAll(async () => {
  workDir = mkdtempSync(join(tmpdir(), 'sluice-bench-live-'));
  for (const name of NETWORKS) {
    const path = join(workDir, `${name}.onnx`);
    await writeZooModel(zooNetwork(name), path, { seed: 1, weights: 'inline' });
    expect(await runCli(workDir, ['models', 'import', path, '--name', name])).toMatchObject({ code: 0 });
  }
}, 60_000);

afterAll(() => rmSync(workDir, { recursive: true, force: true }));

it.each([
  ['without cgroups and namespaces', false],
  ['with them, where root', true],
])(
  'compares the strategies and kills the edge, %s',
  async (_, isAllowed) => {
    // Who is not root can make no namespace.
    const uid = isAllowed ? undefined : vi.spyOn(process, 'getuid').mockReturnValue(1000);
    try {
      const messages: string[] = [];
      const report = await benchLive({
        workDir,
        variants,
        scenario: { ...SCENARIO, ...(!isAllowed && { processors: UNLIMITED }) },
        log: (message) => messages.push(message),
      });
      const { rows, adaptation, alone, fault, shaping } = report;
      expect(rows).toHaveLength(3 * LIVE_SCENARIO.strategies.length);
      for (const { half, rounds, requests, unanswered, missedThreshold } of rows) {
        expect(rounds).toBe(half === 'whole' ? 12 : 6);
        expect({ requests, unanswered, missedThreshold }).toEqual({
          requests: 3 * rounds,
          unanswered: 0,
          missedThreshold: 0,
        });
      }
      // A tier that does not answer in time on a busy machine is answered for by another, and counted.
      for (const [strategy, tier] of FIXED) {
        const row = rows.find((each) => each.strategy === strategy && each.half === 'first')!;
        const byItself = Math.round((row.tierSharePct[tier] / 100) * row.requests);
        expect(byItself).toBeGreaterThan(0);
        expect(byItself + row.answeredElsewhere).toBe(row.requests);
      }
      expect(adaptation.map(({ strategy }) => strategy)).toEqual([
        'offload-only',
        'hybrid',
        'factored',
        'factored-trained',
      ]);
      expect(alone).toHaveLength(2 * 4);
      expect(fault.unanswered).toBe(0);
      expect(fault.killed?.laterDecisionsForEdge ?? 0).toBe(0);
      expect(judgeLive(report)).toHaveLength(6);
      if (!isAllowed) {
        expect(shaping.links.edge).toEqual({ rate: 'proxy', delay: 'proxy' });
        expect(shaping.whyNot.join()).toContain('only root');
      }
      for (const reason of shaping.whyNot) expect(messages.join('\n')).toContain(reason);
      // Nothing is left behind but the library.
      expect(readdirSync(workDir).filter((name) => name.startsWith('live-'))).toEqual([]);
      expect(existsSync(`/sys/fs/cgroup/cpu/sluice-bench-${process.pid}-edge`)).toBe(false);
    } finally {
      uid?.mockRestore();
    }
  },
  120_000,
);
