/* eslint-disable boundaries/dependencies -- files of every store there is, also of those no index exports */
/** What a process with little memory does with the files of stores: it uses them as Sluice does, and looks at what is left. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, sep } from 'node:path';

import { SluiceError, type MeasuredPoint, type RunRecord } from '../../contract';
import { parseDefinition } from '../../lab/competitions/definition';
import {
  instructionSet,
  memoryDelayCurve,
  ModelLibrary,
  planDetail,
  recordMeasurement,
  type StoreProfile,
} from '../../layering';
import { writeProfile } from '../../layering/profile-file';
import { builtInScenario, freeConstraints, statesOf, systemOf } from '../../offload';
import { AgentMemoryFiles } from '../offload/agent-memory';
import { RunHistory } from '../runs/run-history';

const RUN: RunRecord = {
  id: 'own',
  model: 'm',
  mode: 'async',
  budgetBytes: 1,
  inputName: 'i',
  startedAt: '2026-01-01T00:00:00.000Z',
  state: 'done',
  hasTrace: false,
};
const HERE = { runtimeVersion: 'any', instructionSet: instructionSet() };
const BUDGET_BYTES = 16 << 20;
const POINT: MeasuredPoint = {
  ...{ budgetBytes: BUDGET_BYTES, mode: 'async', runs: 9 },
  ...{ medianMs: 2, p10Ms: 1, p90Ms: 3 },
};
export const PROFILE: StoreProfile = {
  ...{ format: 3, threads: 1, layerMs: [1, 2, 0.5, 0.1], stepMs: 0.02, readers: 4 },
  rings: [1 << 20, 4 << 20].map((ringBytes) => ({
    ...{ ringBytes, readBytesPerSec: 2e9, readerBytesPerSec: 6e8, readLatencyMs: 0.1 },
    ...{ computeSlowdown: 1.1, readSlowdown: 1.2, correction: 1.05 },
  })),
};
export const SCENARIO = builtInScenario({ users: 2, links: 'B' });

function expectThat(isSo: boolean, what: string): void {
  if (!isSo) throw new Error(`Expected that ${what}.`);
}

/** A copy of what can't be used is kept once there is something to write. */
function expectKept(path: string, before: Uint8Array): void {
  const kept = `${path}.damaged`;
  expectThat(existsSync(kept) && readFileSync(kept).equals(before), `${kept} is what was there`);
}

/** Lists the runs of other processes and adds one. @throws SluiceError `corrupt-store` for what is told to be unusable. */
export async function openRuns(path: string): Promise<void> {
  const before = readFileSync(path);
  const told: string[] = [];
  const history = new RunHistory(path, (line) => told.push(line), 'this one');
  structuredClone(history.others());
  history.save([RUN]);
  await history.settled();
  const kept = new RunHistory(path, (line) => told.push(line), 'another').others();
  expectThat(
    kept.some(({ id }) => id === RUN.id),
    'the run is kept',
  );
  if (told.length === 0) return;
  expectKept(path, before);
  throw new SluiceError('corrupt-store', told.join());
}

/** Opens the library that an entry belongs to, and takes its model out and in. @throws SluiceError as its state says. */
export async function openLibrary(path: string): Promise<void> {
  const before = readFileSync(path);
  const [name, dataDir] = [basename(dirname(path)), dirname(dirname(dirname(path)))];
  const library = await ModelLibrary.open(dataDir, HERE);
  const listed = library.list();
  structuredClone(listed);
  expectThat(
    listed.some(({ name: other, state }) => other !== name && state === 'ready'),
    'another model is ready',
  );
  const { id } = await library.remove(name).then(async (removed) => {
    await library.restore(removed);
    return { id: removed.name };
  });
  expectThat(id === name && readFileSync(path).equals(before), 'the entry comes back as it was');
  const summary = library.summary(name);
  for (const inside of summary.task.kind === 'text' ? [] : [library.storePath(name)])
    expectThat(inside.startsWith(library.modelFolder(name) + sep), `${inside} is in the model's folder`);
  library.sourcePath(name);
  if (summary.state !== 'ready') throw new SluiceError('corrupt-store', summary.stateReason ?? '');
}

/** Plans with what was measured of a store, and measures once more. @throws SluiceError `corrupt-store`, `unsupported`. */
export async function readFigures(path: string): Promise<void> {
  const before = readFileSync(path);
  const storePath = dirname(path);
  const plan = async (): Promise<void> => {
    for (const mode of ['async', 'sync', 'sequential', 'resident'] as const) {
      structuredClone(planDetail(storePath, mode, BUDGET_BYTES));
      const { points } = await memoryDelayCurve(storePath, mode);
      expectThat(
        points.every(({ predictedMs }) => Number.isFinite(predictedMs)),
        'latencies are numbers',
      );
    }
  };
  const fault = await plan().then(
    () => undefined,
    (thrown: unknown) => SluiceError.from(thrown),
  );
  await recordMeasurement(storePath, POINT);
  await writeProfile(storePath, PROFILE);
  if (!fault) return;
  // A profile of another version counts as none.
  if (fault.code !== 'not-found') expectKept(path, before);
  await plan();
  throw fault;
}

/** Goes on with what an agent learned. @param isSealed the checksum is made to be right. */
export async function recallAgent(path: string, isSealed: boolean): Promise<void> {
  if (isSealed) seal(path);
  const before = readFileSync(path);
  const told: string[] = [];
  const system = systemOf(SCENARIO);
  const files = new AgentMemoryFiles(dirname(path), (line) => told.push(line));
  const agent = await files.open(basename(path).replace(/-[0-9a-f]{12}\.checkpoint$/, ''), system);
  const constraints = freeConstraints(system, 85);
  const action = new Uint8Array(system.users);
  for (const state of statesOf(SCENARIO, 4, 4)) {
    agent.decide(state, constraints, action);
    expectThat(!Number.isNaN(agent.predictMs(state, action)), 'latencies are numbers');
  }
  if (told.length === 0) return;
  // What was learned with other users is no damage.
  if (!told.join().includes('says nothing about')) expectKept(path, before);
  throw new SluiceError('bad-input', told.join());
}

/** The file holds a body alone: puts around it what it takes. */
function seal(path: string): void {
  const body = readFileSync(path, 'utf8');
  let told = body;
  try {
    told = JSON.stringify(JSON.parse(body));
  } catch {
    // Refused before its checksum is looked at.
  }
  const sha256 = createHash('sha256').update(told).digest('hex');
  const head = `"format":"sluice-offload-checkpoint","version":1,"sha256":"${sha256}"`;
  writeFileSync(path, `{${head},"body":${told}}`);
}

export function readCompetition(bytes: Uint8Array): void {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw new SluiceError('bad-input', 'no JSON', {}, { cause });
  }
  structuredClone(parseDefinition(json));
}
