import { SluiceError } from '../../contract';
import type { OipTensor } from '../protocol/tensor';
import { checkRequest } from './check-request';
import type { IncomingRequest } from './check-request';
import { HostFigures } from './host-figures';
import type { HostReadings } from './host-figures';
import { ServingMetrics } from './metrics';
import type { VersionLatency } from './metrics';
import type { QueueState } from './request-queue';
import type { ServedModel, ServedModels } from './served-models';
import { InferenceStatistics } from './statistics';
import type { ModelStatistics, RequestTimes, VersionName } from './statistics';
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
      () => this.latencies(),
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
    const versions = this.versions(name);
    const model = versions.find((candidate) => version === '' || candidate.version === version);
    if (model) return model;
    const has = versions.map((candidate) => candidate.version).join(', ');
    throw new SluiceError('not-found', `${name} has no version "${version}"; it has version ${has}.`, {
      name,
      version,
    });
  }

  /** The one that stands for the name first. @throws SluiceError `not-found`. */
  versions(name: string): readonly ServedModel[] {
    const models = this.models();
    const versions = models.filter((candidate) => candidate.name === name);
    if (versions.length > 0) return versions;
    const names = [...new Set(models.map((candidate) => candidate.name))].join(', ') || 'none';
    throw new SluiceError('not-found', `There is no model "${name}" here; models: ${names}.`, { name });
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
    const asked = this.route(name, version);
    const startedMs = this.options.nowMs();
    let [current] = asked;
    try {
      // Before it waits: what the client got wrong costs nobody a turn.
      if (asked.length === 1 && !current.isReady) throw notReady(current);
      if (current.isReady) checkRequest(current, request);
      return await this.turns.take(signal, async (queueMs, either) => {
        for (const model of asked.slice(0, -1)) {
          try {
            return await this.inferBy(model, request, { startedMs, queueMs }, either);
          } catch (thrown) {
            const error = SluiceError.from(thrown);
            if (!isOwnFault(error)) throw error;
            this.failed(model, error, startedMs);
            current = asked[asked.indexOf(model) + 1] ?? model;
          }
        }
        return this.inferBy(current, request, { startedMs, queueMs }, either);
      });
    } catch (thrown) {
      const error = SluiceError.from(thrown);
      this.failed(current, error, startedMs);
      throw error;
    }
  }

  private async inferBy(
    model: ServedModel,
    request: IncomingRequest,
    { startedMs, queueMs }: { readonly startedMs: number; readonly queueMs: number },
    signal: AbortSignal,
  ): Promise<InferenceReply> {
    if (!model.isReady) throw notReady(model);
    const inputs = checkRequest(model, request);
    const answer = await this.options.models.infer(runsAs(model), inputs, signal);
    const outputs = wanted(model, answer.outputs, request.outputs);
    const endedMs = this.options.nowMs();
    const times = { queueMs, computeMs: answer.computeMs, totalMs: endedMs - startedMs };
    this.statistics.succeeded(model, times, endedMs);
    this.metrics.succeeded(model, times);
    return { model, outputs, ...times };
  }

  private failed(model: ServedModel, { code }: SluiceError, startedMs: number): void {
    this.statistics.failed(model, this.options.nowMs() - startedMs);
    this.metrics.failed(model, code);
  }

  /** What is asked, in turn; the last one's error is the answer. */
  private route(name: string, version: string): readonly [ServedModel, ...ServedModel[]] {
    if (version !== '') return [this.model(name, version)];
    const versions = this.versions(name);
    const route = (this.options.models.route?.(name) ?? []).flatMap((wantedVersion) =>
      versions.filter((candidate) => candidate.version === wantedVersion),
    );
    const [first, ...others] = route;
    return first ? [first, ...others] : [this.model(name, '')];
  }

  private latencies(): readonly VersionLatency[] {
    return this.models().flatMap(({ name, version }) => {
      const latency = this.statistics.latency({ name, version });
      return latency ? [{ name, version, latency }] : [];
    });
  }

  /** @throws SluiceError `not-found`, `overloaded`, and why it can't be loaded. */
  async load(name: string): Promise<void> {
    const model = runsAs(this.model(name, ''));
    await this.turns.take(new AbortController().signal, () => this.options.models.load(model));
  }

  /** @throws SluiceError `not-found`, `overloaded`. */
  async unload(name: string): Promise<void> {
    const model = runsAs(this.model(name, ''));
    await this.turns.take(new AbortController().signal, () => this.options.models.unload(model));
  }

  /** @param name empty: all models. @param version empty: all of them. @throws SluiceError `not-found`. */
  stats(name: string, version: string): readonly ModelStatistics[] {
    return this.statsOf(name, version).map((model) => this.statistics.snapshot(model));
  }

  /** A version that is gone. */
  forget(model: VersionName): void {
    this.statistics.forget(model);
  }

  /** Work of the server's own, after what was accepted so far; nothing runs meanwhile. @throws what the work throws. */
  between<T>(work: () => Promise<T>): Promise<T> {
    return this.turns.between(work);
  }

  private statsOf(name: string, version: string): readonly ServedModel[] {
    if (name === '') return this.models();
    return version === '' ? this.versions(name) : [this.model(name, version)];
  }

  /** From now on not ready. Resolves when everything accepted is answered, or was abandoned after `patienceMs`. */
  async drain(patienceMs: number): Promise<void> {
    this.isDraining = true;
    await this.turns.drain(patienceMs);
  }
}

function runsAs({ name, runsAs: known = name }: ServedModel): string {
  return known;
}

/** Another version may answer what this one could not; not what the client got wrong, or the server can't do now. */
function isOwnFault({ code }: SluiceError): boolean {
  return !['bad-input', 'cancelled', 'overloaded', 'engine-down'].includes(code);
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
