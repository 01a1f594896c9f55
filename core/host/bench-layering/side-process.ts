/** Entry of a process that runs one side of `sluice bench layering`. */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { engineClockMs } from '../../base';
import { SluiceError } from '../../contract';
import {
  Engine,
  nominalInputs,
  predictMs,
  readManifest,
  readProfile,
  type EngineModel,
  type HostTensors,
} from '../../layering';
import { WholeModel } from '../../ort';
import type { BurstResult, OpenedSide, SideCommand, SideReply, SideRequest } from './side-protocol';

const INPUT_SEED = 1;
const READ_CHUNK_BYTES = 1 << 20;

interface Side {
  readonly opened: OpenedSide;
  infer(): Promise<{ totalMs: number; stallMs: number; outputs: HostTensors }>;
  readRate(): Promise<number>;
  /** Milliseconds; 0 where nothing is predicted. */
  predict(readBytesPerSec: number): number;
  close(): Promise<void>;
}

async function openSluice(request: SideRequest): Promise<Side> {
  const engine = await Engine.start({ threads: request.threads });
  const mode = request.kind === 'ort' || request.kind === 'ort-mmap' ? 'resident' : request.kind;
  const budget = request.budgetBytes === undefined ? {} : { budgetBytes: request.budgetBytes };
  const model: EngineModel = await engine.load({ storePath: request.storePath, mode, ...budget });
  const inputs = nominalInputs(model.manifest.inputs, INPUT_SEED);
  const weights = join(request.storePath, 'weights.bin');
  const { ringBytes, residentBytes, constantBytes } = model.memoryUse;
  return {
    opened: {
      parameterMemoryBytes: ringBytes + residentBytes + constantBytes,
      streamedBytes: model.plan.streamedBytesPerRun,
      predictedMs: model.plan.predictedMs,
      segments: model.plan.segments,
    },
    infer: () => model.run(inputs),
    readRate: () => engine.measureReads(weights, { chunkBytes: READ_CHUNK_BYTES }),
    predict: (readBytesPerSec) => {
      const profile = readProfile(request.storePath);
      if (!profile) return 0;
      const change = readBytesPerSec / profile.readBytesPerSec;
      const now = { ...profile, readBytesPerSec, readerBytesPerSec: profile.readerBytesPerSec * change };
      return predictMs(model.manifest, now, model.program);
    },
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
    readRate: () => Promise.reject(new SluiceError('internal', 'Only a Sluice side measures reads.')),
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
  return { timesMs, stallsMs, outputHash: hash.digest('hex'), anonBytes: anonymousBytes(), peakBytes };
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

let current: Side | undefined;

async function obey(command: SideCommand): Promise<SideReply> {
  try {
    if (command.kind === 'open') {
      const { side } = command;
      current = side.kind === 'ort' || side.kind === 'ort-mmap' ? openOrt(side) : await openSluice(side);
      return { ok: true, value: current.opened };
    }
    if (!current) throw new SluiceError('internal', 'No side is open.');
    if (command.kind === 'burst')
      return { ok: true, value: await burst(current, command.warmUps, command.runs) };
    if (command.kind === 'read-rate') return { ok: true, value: { figure: await current.readRate() } };
    if (command.kind === 'predict')
      return { ok: true, value: { figure: current.predict(command.readBytesPerSec) } };
    await current.close();
    return { ok: true, value: { figure: 0 } };
  } catch (error) {
    return { ok: false, error: SluiceError.from(error).toWire() };
  }
}

process.on('message', (command: SideCommand) => {
  void obey(command).then((reply) => {
    process.send?.(reply, undefined, undefined, () => {
      if (command.kind === 'end') process.exit(0);
    });
  });
});
process.once('disconnect', () => process.exit(1));
