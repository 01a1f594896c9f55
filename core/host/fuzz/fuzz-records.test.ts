import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { planDetail } from '../../layering';
import { createAgent, freeConstraints, SimulatedTestbed, systemOf, trainStep } from '../../offload';
import { AgentMemoryFiles } from '../offload/agent-memory';
import { FileReader, fuzzRuns } from '../test-support/file-reader';
import { PROFILE, SCENARIO } from '../test-support/parse-stores';
import { SoundLibrary } from '../test-support/sound-library';

let root: string;
let reader: FileReader;
let library: SoundLibrary;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'sluice-fuzz-records-'));
  reader = new FileReader(root);
  library = await SoundLibrary.make(root);
});
afterAll(() => {
  reader.close();
  rmSync(root, { recursive: true, force: true });
});

const text = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

it('a damaged runs.json is read, or kept beside the new one; the next run is remembered', () => {
  const base = { model: 'm', mode: 'async', budgetBytes: 1024, inputName: 'i', hasTrace: false };
  const stats = { inferences: 3, medianMs: 1, p50Ms: 1, p99Ms: 2, lastMs: 1, lastStallMs: 0 };
  const at = '2026-01-01T00:00:00.000Z';
  const runs = [
    { ...base, id: 'a', startedAt: at, state: 'running', process: '1-1' },
    {
      ...{
        ...base,
        id: 'b',
        startedAt: at,
        state: 'done',
        plan: planDetail(library.storePath, 'async', 1 << 24),
      },
      ...{ stats: { ...stats, readBytesLast: 0, missedDeadlines: 0 } },
      result: {
        kind: 'classification',
        width: 1,
        height: 1,
        top: [{ index: 0, label: 'l', probability: 1 }],
      },
    },
    {
      ...{ ...base, id: 'c', startedAt: at, state: 'failed' },
      error: { code: 'io', message: 'm', details: {} },
    },
  ];
  return reader.expectAllSound('runs', 'runs.json', text({ version: 1, content: runs }), 'text');
});

describe('a damaged entry.json is read, or its model is shown as broken, and others are not', () => {
  it.each([
    { kind: 'classification', labels: 10 },
    { kind: 'text', detector: 'net', recognizer: 'net' },
  ])('of a model for $kind', async (task) => {
    library.copyModels(join(reader.folder, task.kind), ['net', 'asked']);
    const { store } = library;
    const entry = { format: 1, sourcePath: '/a/cnn.onnx', importedAt: '2026-01-01T00:00:00.000Z', task };
    const whole = text(task.kind === 'text' ? entry : { ...entry, store, source: 'source-0123456789ab' });
    const file = `${task.kind}/models/asked/entry.json`;
    await reader.expectAllSound('library', file, whole, 'text');
    // One that names itself, a store elsewhere, a model elsewhere.
    for (const [damage, found] of [
      [{ task: { kind: 'text', detector: 'asked', recognizer: 'asked' } }, /asked is itself made of others/],
      [
        { task: { kind: 'text', detector: '../net', recognizer: 'net' } },
        /task\.detector: expected a model's name/,
      ],
      [{ store: '../net' }, /store: expected a name such as store-/],
      [{ source: '../../../..' }, /source: expected a name such as source-/],
      [{ format: 0 }, /format: /],
    ] as const) {
      const answer = await reader.expectSound('library', file, text({ ...entry, ...damage }));
      expect(answer.error?.message).toMatch(found);
      expect(answer.error?.message).toContain(join(reader.folder, file));
    }
  });
});

describe('damaged figures of a store are used, or kept beside the new ones', () => {
  it.each([
    ['profile.json', PROFILE],
    ['measured.json', [{ budgetBytes: 1, mode: 'async', medianMs: 1, p10Ms: 1, p90Ms: 1, runs: 5 }]],
  ])('%s', async (name, content) => {
    library.copyStore(join(reader.folder, name));
    await reader.expectAllSound('figures', `${name}/${name}`, text(content), 'text');
  });
});

describe('what an agent learned, damaged', () => {
  it.each(['offload-only', 'q-learning', 'dqn', 'hybrid', 'linucb', 'factored'])(
    '%s: is used or kept, and it decides',
    async (name) => {
      mkdirSync(reader.folder, { recursive: true });
      const agent = createAgent(name, systemOf(SCENARIO), 1);
      const testbed = new SimulatedTestbed(SCENARIO, 1);
      const constraints = freeConstraints(agent.system, 85);
      const action = new Uint8Array(agent.system.users);
      for (let step = 0; step < 10; step += 1) trainStep(agent, testbed, constraints, action);
      const path = await saved(agent);
      const whole = readFileSync(path);
      const { body } = JSON.parse(whole.toString()) as { body: object };
      await reader.expectAllSound('agent', `agents/${basename(path)}`, whole, 'text', fuzzRuns(1 / 6));
      await reader.expectAllSound(
        'sealed agent',
        `agents/${basename(path)}`,
        text(body),
        'text',
        fuzzRuns(1 / 3),
      );
    },
  );

  async function saved(agent: Parameters<AgentMemoryFiles['save']>[0]): Promise<string> {
    const folder = join(root, 'agents', agent.id);
    await new AgentMemoryFiles(folder, () => undefined).save(agent);
    return join(folder, readdirSync(folder)[0]!);
  }
});

it("a damaged competition's definition is refused, each fault with its path", () =>
  reader.expectAllSound(
    'competition',
    'competition.json',
    text({
      ...{ name: 'digits', title: 't', description: 'd', dataset: { name: 'digits', version: 'latest' } },
      ...{
        hiddenPath: 'hidden/answers.csv',
        testPath: 'test/',
        evaluator: { command: ['node', 'score.mjs'] },
      },
      inference: { args: ['--predict'], cpus: 1, gpus: 0, memoryBytes: 2 ** 29, limitMinutes: 5 },
      ...{ metric: { name: 'accuracy', direction: 'max' }, submissionsPerDay: 3 },
      deadline: '2030-01-01T00:00:00Z',
    }),
    'text',
  ));
