/** Entry of a process that runs one side of `sluice bench layering`. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { engineClockMs } from '../../base';
import { SluiceError } from '../../contract';
import {
  Engine,
  nominalInputs,
  predictMs,
  Profiler,
  readManifest,
  WEIGHTS_FILE,
  type EngineModel,
  type HostTensors,
  type StoreProfile,
} from '../../layering';
import { WholeModel } from '../../ort';
import { obey } from '../bench/commanded-process';
import { measureDisk } from './read-cost';
import type {
  BurstResult,
  DiskMeasurement,
  OpenedSide,
  SideAnswer,
  SideCommand,
  SideRequest,
} from './side-protocol';

const INPUT_SEED = 1;

interface Side {
  readonly opened: OpenedSide;
  infer(): Promise<{ totalMs: number; stallMs: number; outputs: HostTensors }>;
  mappedBytes(): number;
  measureDisk(): Promise<DiskMeasurement>;
  /** Milliseconds; 0 where nothing is predicted. */
  predict(profile: StoreProfile): number;
  close(): Promise<void>;
}

async function openSluice(request: SideRequest): Promise<Side> {
  const engine = await Engine.start({ threads: request.threads });
  const mode = request.kind === 'ort' || request.kind === 'ort-mmap' ? 'resident' : request.kind;
  const budget = request.budgetBytes === undefined ? {} : { budgetBytes: request.budgetBytes };
  const model: EngineModel = await engine.load({ storePath: request.storePath, mode, ...budget });
  const inputs = nominalInputs(model.manifest.inputs, INPUT_SEED);
  const weights = join(request.storePath, WEIGHTS_FILE);
  const { ringBytes, residentBytes, constantBytes } = model.memoryUse;
  return {
    opened: {
      parameterMemoryBytes: ringBytes + residentBytes + constantBytes,
      streamedBytes: model.plan.streamedBytesPerRun,
      predictedMs: model.plan.predictedMs,
      segments: model.plan.segments,
    },
    infer: () => model.run(inputs),
    mappedBytes: () => 0,
    measureDisk: () => measureDisk(engine, weights, request.threads),
    predict: (profile) => predictMs(model.manifest, profile, model.program),
    close: async () => {
      await model.close();
      await engine.close();
    },
  };
}

function openOrt(request: SideRequest): Side {
  const manifest = readManifest(request.storePath);
  const model = WholeModel.open(request.modelPath, {
    threads: request.threads,
    // The graph for memory mapping is optimised already; optimising again would copy its weights.
    optimise: request.kind === 'ort',
  });
  const inputs = nominalInputs(manifest.inputs, INPUT_SEED);
  return {
    opened: { parameterMemoryBytes: manifest.weightBytes, streamedBytes: 0, predictedMs: 0, segments: 1 },
    infer: () => {
      const startMs = engineClockMs();
      const outputs = model.run(inputs);
      return Promise.resolve({ totalMs: engineClockMs() - startMs, stallMs: 0, outputs });
    },
    mappedBytes: () => (request.kind === 'ort-mmap' ? mappedBytesBeside(request.modelPath) : 0),
    measureDisk: () => Promise.reject(new SluiceError('internal', 'Only a Sluice side measures reads.')),
    predict: () => 0,
    close: () => {
      model.close();
      return Promise.resolve();
    },
  };
}

async function burst(side: Side, warmUps: number, runs: number): Promise<BurstResult> {
  const timesMs: number[] = [];
  const stallsMs: number[] = [];
  let outputs: HostTensors = new Map();
  for (let run = 0; run < warmUps + runs; run += 1) {
    const result = await side.infer();
    outputs = result.outputs;
    if (run < warmUps) continue;
    timesMs.push(result.totalMs);
    stallsMs.push(result.stallMs);
  }
  const hash = createHash('sha256');
  for (const [name, tensor] of [...outputs].sort(([a], [b]) => a.localeCompare(b)))
    hash.update(name).update(tensor.bytes);
  keepOutputs(outputs);
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  return {
    timesMs,
    stallsMs,
    outputHash: hash.digest('hex'),
    anonBytes: anonymousBytes(),
    peakBytes,
    mappedBytes: side.mappedBytes(),
  };
}

/** For the comparison of values, which the parent makes. */
function keepOutputs(outputs: HostTensors): void {
  const path = process.env['SLUICE_BENCH_OUTPUTS'];
  if (path) writeFileSync(path, Buffer.concat([...outputs.values()].map((tensor) => tensor.bytes)));
}

/** NaN where the system has no /proc. */
function anonymousBytes(): number {
  try {
    const kib = /^RssAnon:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    return Number(kib) * 1024;
  } catch {
    return Number.NaN;
  }
}

/** Resident bytes of the files that are mapped from the folder of a model and carry its name; 0 without /proc. */
function mappedBytesBeside(modelPath: string): number {
  const prefix = modelPath.replace(/\.onnx$/, '.');
  let isWeights = false;
  let kib = 0;
  for (const line of readSmaps()) {
    // A mapping begins with its address range and ends with its path; lines about it follow.
    if (/^[0-9a-f]+-[0-9a-f]+ /.test(line)) isWeights = line.includes(prefix);
    else if (isWeights) kib += Number(/^Rss:\s+(\d+) kB/.exec(line)?.[1] ?? 0);
  }
  return kib * 1024;
}

function readSmaps(): string[] {
  return existsSync('/proc/self/smaps') ? readFileSync('/proc/self/smaps', 'utf8').split('\n') : [];
}

let openedSide: Side | undefined;
let profiler: Profiler | undefined;

function side(): Side {
  if (!openedSide) throw new SluiceError('internal', 'No side is open.');
  return openedSide;
}

async function handle(command: SideCommand): Promise<SideAnswer> {
  switch (command.kind) {
    case 'open': {
      const { side: request } = command;
      const isOrt = request.kind === 'ort' || request.kind === 'ort-mmap';
      openedSide = isOrt ? openOrt(request) : await openSluice(request);
      return openedSide.opened;
    }
    case 'burst':
      return burst(side(), command.warmUps, command.runs);
    case 'measure-disk':
      return side().measureDisk();
    case 'predict':
      return { predictedMs: side().predict(command.profile) };
    case 'profile-round': {
      const { storePath, threads } = command;
      profiler ??= await Profiler.open(await Engine.start({ threads }), storePath);
      await profiler.round();
      return {};
    }
    case 'profile': {
      if (!profiler) throw new SluiceError('internal', 'Nothing was profiled.');
      return { profile: profiler.profile() };
    }
    case 'end': {
      await profiler?.close();
      await openedSide?.close();
      return {};
    }
  }
}

obey(handle, ({ kind }) => kind === 'end');
