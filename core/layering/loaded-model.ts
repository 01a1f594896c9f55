import { SluiceError } from '../contract';
import { RunOptions, type NativeMemory, type OrtEnvironment } from '../ort';
import type { ReaderPool } from '../storage';
import { DynamicPass } from './dynamic-pass';
import type { StoreManifest } from './manifest';
import { layerAtOffset } from './layer-at';
import type { Program } from './program';
import { RingRunner } from './ring-runner';
import { residentRows, StreamedRows, tableOffset, type RowSource } from './row-gather';
import { StaticBinding } from './static-binding';
import { StepGraphs } from './step-graph';
import { StepSessions, type PreparedStep } from './step-run';
import { checkInputs, type HostTensors } from './tensors';
import { StepTimes, type InferenceTimes } from './trace';
import { WeightMemory } from './weight-memory';
import { LayerChecks } from './layer-checks';
import { valueLifetimes } from './value-lifetimes';

/** Bindings kept for different input shapes; the least recently used one goes first. */
const MAX_BINDINGS = 8;

/** What a loaded model holds, bytes, as allocated. */
export interface MemoryUse {
  readonly ringBytes: number;
  readonly residentBytes: number;
  /** Constants inside ONNX Runtime sessions. */
  readonly constantBytes: number;
  readonly activationBytes: number;
}

export interface InferenceOutcome {
  readonly outputs: HostTensors;
  readonly times: InferenceTimes;
}

export interface InferenceOptions {
  readonly isCancelled: () => boolean;
}

/**
 * A store opened under a program: its memory, sessions and running reads. Not thread-safe: one inference at a time,
 * on the thread that loaded it. `close` frees everything.
 */
export class LoadedModel {
  private readonly runOptions: RunOptions;
  private readonly bindings = new Map<string, StaticBinding>();
  private arena: NativeMemory | undefined;
  /** Values whose shape depends on data: always allocated by ONNX Runtime. */
  private hasDataDependentShapes = false;

  private constructor(
    private readonly environment: OrtEnvironment,
    readonly manifest: StoreManifest,
    readonly program: Program,
    private readonly memory: WeightMemory,
    private readonly sessions: StepSessions,
    private readonly steps: readonly PreparedStep[],
    private readonly rows: ReadonlyMap<number, RowSource>,
    private readonly ring: RingRunner,
    private readonly checks: LayerChecks,
  ) {
    this.runOptions = RunOptions.create(environment);
  }

  /** @throws SluiceError `io`, `budget-too-small`, `corrupt-store`, `runtime`. */
  static async open(
    environment: OrtEnvironment,
    pool: ReaderPool,
    storePath: string,
    manifest: StoreManifest,
    program: Program,
  ): Promise<LoadedModel> {
    const layerAt = layerAtOffset(manifest);
    const memory = await WeightMemory.open(pool, storePath, program, layerAt);
    const sessions = new StepSessions(environment, new StepGraphs(storePath, manifest), manifest.provider);
    try {
      const steps = program.steps.map((step, index) => sessions.prepare(step, index, memory));
      const rows = await openRows(pool, storePath, manifest, program, memory);
      const ring = new RingRunner(pool, memory, program.steps.length, layerAt);
      const checks = new LayerChecks(manifest, program, memory);
      return new LoadedModel(environment, manifest, program, memory, sessions, steps, rows, ring, checks);
    } catch (error) {
      sessions.release();
      await memory.close();
      throw error;
    }
  }

  get memoryUse(): MemoryUse {
    const tables = [...this.rows.values()].reduce((sum, source) => sum + source.memoryBytes, 0);
    return {
      ringBytes: this.memory.ringBytes + tables,
      residentBytes: this.memory.residentBytes,
      constantBytes: this.manifest.layers.reduce((sum, layer) => sum + layer.constantBytes, 0),
      // Behind the ring, unless both together are more than one memory holds.
      activationBytes: Math.max(this.memory.behindRingBytes, this.arena?.bytes.byteLength ?? 0),
    };
  }

  /** False where the file system made reads go through the page cache. */
  get readsDirectly(): boolean {
    return this.memory.direct;
  }

  /** Address to stop a run from another thread: see `RunOptions.terminate`. */
  get terminator(): bigint {
    return this.runOptions.pointer;
  }

  /**
   * One inference, on the calling thread. The first one of each set of input shapes lets ONNX Runtime allocate
   * values, learns their shapes and checks every layer's checksum; later ones allocate nothing.
   * @throws SluiceError `bad-input`, `io`, `corrupt-store`, `runtime`, `cancelled`. The model stays usable.
   */
  async run(inputs: HostTensors, options: InferenceOptions): Promise<InferenceOutcome> {
    checkInputs(this.manifest.inputs, inputs);
    await this.recover();
    const key = shapeKey(inputs);
    const binding = this.bindings.get(key);
    this.runOptions.reset();
    try {
      if (!binding || this.hasDataDependentShapes) return this.runDynamic(inputs, key, options);
      this.bindings.delete(key);
      this.bindings.set(key, binding);
      return this.runStatic(binding, inputs, options);
    } catch (error) {
      this.abandon();
      if (options.isCancelled())
        throw new SluiceError('cancelled', 'The run was cancelled.', {}, { cause: error });
      if (!binding || !isShapeChange(error)) throw error;
    }
    // A value changed shape although the inputs did not: from now on nothing is preallocated.
    this.hasDataDependentShapes = true;
    await this.recover();
    return this.runDynamic(inputs, key, options);
  }

  private abandon(): void {
    this.ring.abandon();
    for (const source of this.rows.values()) source.abandon();
    this.checks.abandon();
  }

  private async recover(): Promise<void> {
    await this.ring.recover();
    for (const source of this.rows.values()) await source.recover();
  }

  private runStatic(
    binding: StaticBinding,
    inputs: HostTensors,
    options: InferenceOptions,
  ): InferenceOutcome {
    binding.writeInputs(inputs);
    const times = this.play(options, (prepared, index) => {
      const source = this.rows.get(index);
      if (source) binding.gather(prepared, source, options.isCancelled);
      else binding.run(index, this.runOptions);
    });
    return { outputs: binding.readOutputs(), times };
  }

  private runDynamic(inputs: HostTensors, key: string, options: InferenceOptions): InferenceOutcome {
    const pass = new DynamicPass(this.environment, this.manifest, this.steps, this.rows, inputs);
    try {
      const times = this.play(
        options,
        (prepared, index) => pass.run(prepared, index, this.runOptions, options.isCancelled),
        (index) => this.checks.check(index),
      );
      const outputs = pass.readOutputs();
      if (!this.hasDataDependentShapes) this.bind(key, pass);
      return { outputs, times };
    } finally {
      pass.release();
    }
  }

  /** All steps in order, each when its weights are there. @param onWeights sees them before the step runs. */
  private play(
    options: InferenceOptions,
    compute: (prepared: PreparedStep, index: number) => void,
    onWeights: (index: number) => void = () => undefined,
  ): InferenceTimes {
    const times = new StepTimes(this.steps.length);
    this.ring.start();
    times.start();
    this.steps.forEach((prepared, index) => {
      times.waitFrom(index);
      this.ring.waitForStep(index, options.isCancelled);
      if (options.isCancelled()) throw new SluiceError('cancelled', 'The run was cancelled.');
      onWeights(index);
      times.computeFrom(index);
      compute(prepared, index);
      times.endAt(index);
      this.ring.finishStep(index);
    });
    times.finish();
    return this.ring.times(times);
  }

  private bind(key: string, pass: DynamicPass): void {
    const lifetimes = valueLifetimes(this.manifest, this.steps, pass.shapes);
    const plan = StaticBinding.plan(lifetimes);
    if (!this.arena || this.arena.bytes.byteLength < plan.byteLength) {
      for (const binding of this.bindings.values()) binding.release();
      this.bindings.clear();
      this.arena = this.memory.activations(plan.byteLength);
    }
    const binding = new StaticBinding(
      this.environment,
      this.manifest,
      this.steps,
      pass.shapes,
      plan,
      this.arena,
    );
    this.bindings.set(key, binding);
    const [oldest] = this.bindings.keys();
    if (this.bindings.size > MAX_BINDINGS && oldest !== undefined) {
      this.bindings.get(oldest)?.release();
      this.bindings.delete(oldest);
    }
  }

  async close(): Promise<void> {
    for (const binding of this.bindings.values()) binding.release();
    for (const step of this.steps) for (const weight of step.weights) weight.release();
    this.sessions.release();
    this.runOptions.release();
    for (const source of this.rows.values()) await source.close();
    await this.memory.close();
  }
}

async function openRows(
  pool: ReaderPool,
  storePath: string,
  manifest: StoreManifest,
  program: Program,
  memory: WeightMemory,
): Promise<ReadonlyMap<number, RowSource>> {
  const rows = new Map<number, RowSource>();
  try {
    for (const [index, step] of program.steps.entries()) {
      const layer = manifest.layers[step.first];
      if (step.kind !== 'gather' || !layer?.gather) continue;
      const { gather } = layer;
      const range = { fileOffset: tableOffset(layer, gather), byteLength: gather.rows * gather.rowBytes };
      rows.set(
        index,
        step.resident.length > 0
          ? residentRows(memory.view(index, range), gather.rowBytes)
          : await StreamedRows.open(pool, storePath, layer, gather),
      );
    }
  } catch (error) {
    for (const source of rows.values()) await source.close();
    throw error;
  }
  return rows;
}

function shapeKey(inputs: HostTensors): string {
  return [...inputs]
    .map(([name, tensor]) => `${name}:${tensor.dtype}:${tensor.dims.join('x')}`)
    .sort()
    .join(';');
}

/** ONNX Runtime's complaint about a preallocated output of another shape. */
function isShapeChange(error: unknown): boolean {
  return error instanceof SluiceError && error.code === 'runtime' && /shape/i.test(error.message);
}
