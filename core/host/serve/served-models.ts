import { formatBytes } from '../../base';
import { SluiceError } from '../../contract';
import type { ModelSummary, TensorSpec } from '../../contract';
import type { HostTensors } from '../../layering';
import { datatypeOf, dtypeOf } from '../../serving';
import type { ModelAnswer, OipTensor, OipTensorMetadata, ServedModel, ServedModels } from '../../serving';
import type { LoadDemand } from '../models/loaded-models';
import type { ModelServices } from '../models/model-services';

/** The library's files are looked at again after that long, so that an import by another process is seen. */
const LIBRARY_READ_MS = 2000;

export interface ServedModelsParts extends Omit<ModelServices, 'jobs'> {
  /** Milliseconds, never going back. */
  readonly nowMs: () => number;
  /** Parameter memory; a model that does not fit it is streamed. Absent: every model is loaded whole. */
  readonly budgetBytes?: number;
  /** Which models to serve; absent: every network of the library. */
  readonly serves?: (name: string) => boolean;
  /** Told when the engine is gone: this process can't infer any more. */
  readonly onEngineDown: (error: SluiceError) => void;
}

interface Planned {
  readonly importedAt: string;
  readonly demand: LoadDemand;
}

/** The networks of the library, run by the layering engine within a budget. Text pipelines are served as their two networks. */
export class LibraryModels implements ServedModels {
  private readonly withdrawn = new Set<string>();
  private readonly plans = new Map<string, Planned>();
  private readonly problems = new Map<
    string,
    { readonly importedAt: string; readonly problem: string | undefined }
  >();
  private readMs = -Infinity;
  private summaries: readonly ModelSummary[] = [];

  constructor(private readonly parts: ServedModelsParts) {}

  list(): readonly ServedModel[] {
    return this.library().map((summary) => this.served(summary));
  }

  async load(name: string): Promise<void> {
    this.withdrawn.delete(name);
    const lease = await this.parts.loaded.acquire(this.demand(name));
    lease.release();
  }

  async unload(name: string): Promise<void> {
    this.withdrawn.add(name);
    await this.parts.loaded.evict(name);
  }

  /** Frees its memory; the next inference loads it again. */
  release(name: string): Promise<void> {
    return this.parts.loaded.evict(name);
  }

  /** Looks at the library anew with the next request. */
  refresh(): void {
    this.readMs = -Infinity;
  }

  /** @throws SluiceError `bad-input` when a model takes or gives other tensors than the one beside it. */
  checkAlike(beside: string, name: string): void {
    const [expected, found] = [beside, name].map((one) => signatureOf(this.parts.models.summary(one)));
    if (expected === found) return;
    throw new SluiceError(
      'bad-input',
      `${name}: expected the tensors of ${beside}, ${expected}, found ${found}; publish it under another name.`,
      { name, beside },
    );
  }

  /** @throws SluiceError `budget-too-small` when the models can't be in memory together. */
  checkRoomFor(names: readonly string[]): void {
    const { budgetBytes = Infinity } = this.parts;
    const needs = names.map((name) => ({ name, bytes: this.demand(name).parameterBytes }));
    const neededBytes = needs.reduce((sum, { bytes }) => sum + bytes, 0);
    if (neededBytes <= budgetBytes) return;
    const parts = needs.map(({ name, bytes }) => `${name} ${formatBytes(bytes)}`).join(', ');
    throw new SluiceError(
      'budget-too-small',
      `Both versions would need ${formatBytes(neededBytes)} of parameter memory (${parts}); the budget of this endpoint is ` +
        `${formatBytes(budgetBytes)}. Publish at 100%, which keeps one of them in memory, or start it with a larger --budget.`,
      { minimumBytes: neededBytes, budgetBytes },
    );
  }

  async infer(name: string, inputs: readonly OipTensor[], signal: AbortSignal): Promise<ModelAnswer> {
    try {
      const lease = await this.parts.loaded.acquire(this.demand(name));
      try {
        const { outputs, totalMs } = await lease.model.run(toEngine(inputs), { signal });
        return { outputs: fromEngine(outputs), computeMs: totalMs };
      } finally {
        lease.release();
      }
    } catch (thrown) {
      const error = SluiceError.from(thrown);
      if (error.code === 'engine-down') this.parts.onEngineDown(error);
      throw error;
    }
  }

  private library(): readonly ModelSummary[] {
    const { models, serves = () => true, nowMs } = this.parts;
    if (nowMs() - this.readMs >= LIBRARY_READ_MS) {
      this.summaries = models.list().filter(({ name, task }) => task.kind !== 'text' && serves(name));
      this.readMs = nowMs();
    }
    return this.summaries;
  }

  private served({ name, state, stateReason, inputs, outputs }: ModelSummary): ServedModel {
    const unservable = [...inputs, ...outputs].find(({ dtype }) => !isServable(dtype));
    const reason =
      state !== 'ready'
        ? (stateReason ?? state)
        : unservable
          ? `"${unservable.name}" is ${unservable.dtype}, which the engine does not take`
          : this.withdrawn.has(name)
            ? 'unloaded'
            : undefined;
    return {
      name,
      version: '1',
      platform: 'sluice_layering',
      inputs: inputs.flatMap(metadataOf),
      outputs: outputs.flatMap(metadataOf),
      isReady: reason === undefined,
      ...(reason !== undefined && { reason }),
    };
  }

  /**
   * Why a model can't run now: it is gone, stale or broken, or the budget is too small for it; undefined when it can.
   * Cheap: asked again and again, it reads the library seldom and plans once an import.
   */
  problemOf(name: string): string | undefined {
    const summary = this.library().find((each) => each.name === name);
    if (!summary) return `${name} is not in the library`;
    if (summary.state !== 'ready') return summary.stateReason ?? summary.state;
    const { importedAt } = summary;
    const known = this.problems.get(name);
    if (known?.importedAt === importedAt) return known.problem;
    const problem = this.planningProblem(name, importedAt);
    this.problems.set(name, { importedAt, problem });
    return problem;
  }

  private planningProblem(name: string, importedAt: string): string | undefined {
    try {
      this.demand(name, importedAt);
      return undefined;
    } catch (thrown) {
      return SluiceError.from(thrown).message;
    }
  }

  /** Whole where it fits the budget, else streamed within it. @throws SluiceError `budget-too-small`. */
  private demand(name: string, importedAt = this.parts.models.summary(name).importedAt): LoadDemand {
    const { planner, budgetBytes = Infinity } = this.parts;
    const known = this.plans.get(name);
    if (known?.importedAt === importedAt) return known.demand;
    const whole = planner.plan(name, 'resident', Infinity);
    const fits = whole.detail.parameterMemoryBytes <= budgetBytes;
    const [demand] = (fits ? whole : planner.plan(name, 'async', budgetBytes)).demands;
    if (!demand) throw new SluiceError('internal', `${name}: a plan of one network loads one model.`);
    this.plans.set(name, { importedAt, demand });
    return demand;
  }
}

function signatureOf({ inputs, outputs }: ModelSummary): string {
  const text = (specs: readonly TensorSpec[]): string =>
    specs.map(({ name, dtype, shape }) => `${name} ${dtype} [${shape.join(', ')}]`).join(', ');
  return `${text(inputs)} -> ${text(outputs)}`;
}

function isServable(dtype: string): boolean {
  return datatypeOf(dtype) !== undefined && dtype !== 'string';
}

function metadataOf({ name, dtype, shape }: TensorSpec): readonly OipTensorMetadata[] {
  const datatype = datatypeOf(dtype);
  return datatype === undefined ? [] : [{ name, datatype, shape }];
}

/** Copies: views of a request's body would take all of the body along to the engine's thread. */
function toEngine(inputs: readonly OipTensor[]): HostTensors {
  return new Map(
    inputs.map(({ name, datatype, shape, bytes }) => [
      name,
      { dtype: dtypeOf(datatype), dims: shape, bytes: new Uint8Array(bytes) },
    ]),
  );
}

function fromEngine(outputs: HostTensors): readonly OipTensor[] {
  return [...outputs].flatMap(([name, { dtype, dims, bytes }]) => {
    const datatype = datatypeOf(dtype);
    return datatype === undefined ? [] : [{ name, datatype, shape: dims, bytes }];
  });
}
