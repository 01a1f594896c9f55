import { SluiceError } from '../../contract';
import type { OipTensor } from '../protocol/tensor';
import { checkRequest } from './check-request';
import type { IncomingRequest } from './check-request';
import { HostFigures } from './host-figures';
import type { HostReadings } from './host-figures';
import { ServingMetrics } from './metrics';
import type { QueueState } from './request-queue';
import type { ServedModel, ServedModels } from './served-models';
import { InferenceStatistics } from './statistics';
import type { ModelStatistics, RequestTimes } from './statistics';
import { Turns } from './turns';

/** Where in a deployment a server stands. */
export type Tier = 'edge' | 'cloud';

export interface InferenceServiceOptions {
  readonly models: ServedModels;
  readonly tier: Tier;
  /** Of the program. */
  readonly version: string;
  /** Requests that may wait. */
  readonly queueCapacity: number;
  /** Milliseconds since the epoch, never going back. */
  readonly nowMs: () => number;
  readonly hostReadings: HostReadings;
}

export interface InferenceReply extends RequestTimes {
  readonly model: ServedModel;
  /** In the order asked for, or the model's. */
  readonly outputs: readonly OipTensor[];
}

/** What every protocol of a server does, once: one queue, one set of figures. */
export class InferenceService {
  readonly metrics: ServingMetrics;
  private readonly turns: Turns;
  private readonly statistics = new InferenceStatistics();
  private isDraining = false;

  constructor(private readonly options: InferenceServiceOptions) {
    this.turns = new Turns(options.queueCapacity, options.nowMs);
    this.metrics = new ServingMetrics(
      options.tier,
      () => this.turns.state,
      new HostFigures(options.hostReadings),
    );
  }

  get isReady(): boolean {
    return !this.isDraining;
  }

  get queueState(): QueueState {
    return this.turns.state;
  }

  get tier(): Tier {
    return this.options.tier;
  }

  /** The `sluice_tier` extension tells offloading clients which tier answers. */
  get metadata(): {
    readonly name: string;
    readonly version: string;
    readonly extensions: readonly string[];
  } {
    const extensions = ['binary_tensor_data', 'model_repository', 'statistics', `sluice_tier_${this.tier}`];
    return { name: 'sluice', version: this.options.version, extensions };
  }

  models(): readonly ServedModel[] {
    return this.options.models.list();
  }

  /** @param version empty: any. @throws SluiceError `not-found`. */
  model(name: string, version: string): ServedModel {
    const models = this.models();
    const model = models.find((candidate) => candidate.name === name);
    if (!model) {
      const names = models.map((candidate) => candidate.name).join(', ') || 'none';
      throw new SluiceError('not-found', `There is no model "${name}" here; models: ${names}.`, { name });
    }
    if (version === '' || version === model.version) return model;
    throw new SluiceError(
      'not-found',
      `${name} has no version "${version}"; it has version ${model.version}.`,
      { name, version },
    );
  }

  isModelReady(name: string, version: string): boolean {
    return this.model(name, version).isReady && this.isReady;
  }

  /** @throws SluiceError as an inference would now for want of room, so that its body need not be read. */
  checkRoom(): void {
    this.turns.checkRoom();
  }

  /**
   * @param signal aborts when whoever asked is gone.
   * @throws SluiceError `not-found`, `bad-input` (every fault at once), `unavailable`, `overloaded`, `cancelled`, and
   *   what the engine throws.
   */
  async infer(
    name: string,
    version: string,
    request: IncomingRequest,
    signal: AbortSignal,
  ): Promise<InferenceReply> {
    const model = this.model(name, version);
    const { nowMs } = this.options;
    const startedMs = nowMs();
    try {
      if (!model.isReady) throw notReady(model);
      const inputs = checkRequest(model, request);
      const { answer, queueMs } = await this.turns.take(signal, async (waitedMs, either) => ({
        answer: await this.options.models.infer(name, inputs, either),
        queueMs: waitedMs,
      }));
      const endedMs = nowMs();
      const times = { queueMs, computeMs: answer.computeMs, totalMs: endedMs - startedMs };
      this.statistics.succeeded(name, times, endedMs);
      this.metrics.succeeded(name, times);
      return { model, outputs: wanted(model, answer.outputs, request.outputs), ...times };
    } catch (thrown) {
      const error = SluiceError.from(thrown);
      this.statistics.failed(name, nowMs() - startedMs);
      this.metrics.failed(name, error.code);
      throw error;
    }
  }

  /** @throws SluiceError `not-found`, `overloaded`, and why it can't be loaded. */
  async load(name: string): Promise<void> {
    this.model(name, '');
    await this.turns.take(new AbortController().signal, () => this.options.models.load(name));
  }

  /** @throws SluiceError `not-found`, `overloaded`. */
  async unload(name: string): Promise<void> {
    this.model(name, '');
    await this.turns.take(new AbortController().signal, () => this.options.models.unload(name));
  }

  /** @param name empty: all models. @throws SluiceError `not-found`. */
  stats(name: string, version: string): readonly ModelStatistics[] {
    const models = name === '' ? this.models() : [this.model(name, version)];
    return models.map((model) => this.statistics.snapshot(model.name, model.version));
  }

  /** From now on not ready. Resolves when everything accepted is answered, or was abandoned after `patienceMs`. */
  async drain(patienceMs: number): Promise<void> {
    this.isDraining = true;
    await this.turns.drain(patienceMs);
  }
}

function notReady({ name, reason }: ServedModel): SluiceError {
  return new SluiceError('unavailable', `${name} is not served now: ${reason ?? 'it was unloaded'}.`, {
    name,
  });
}

function wanted(
  model: ServedModel,
  outputs: readonly OipTensor[],
  names: readonly string[] = model.outputs.map(({ name }) => name),
): readonly OipTensor[] {
  return names.map((wantedName) => {
    const output = outputs.find(({ name }) => name === wantedName);
    if (output) return output;
    throw new SluiceError('runtime', `${model.name} gave no output "${wantedName}", which it should have.`);
  });
}
