import type { Registry } from 'prom-client';

import { SluiceError } from '../../contract';
import { LanguageMetrics } from './language-metrics';
import type {
  Completion,
  CompletionCall,
  CompletionRequest,
  LanguageService,
  ServedLanguageModel,
} from './language-service';
import { Turns } from './turns';

export interface CompletionServiceOptions {
  readonly languages: LanguageService;
  /** Requests that may wait for one model. */
  readonly queueCapacity: number;
  /** Milliseconds since the epoch, never going back. */
  readonly nowMs: () => number;
  /** Where its figures are told. */
  readonly registry: Registry;
}

export interface CompletionReply {
  readonly model: ServedLanguageModel;
  readonly completion: Completion;
  /** Waiting for the model. */
  readonly queueMs: number;
}

/**
 * Language models behind a server: a queue for each, one reply at a time. Their turns are not those of inferences: a
 * reply takes seconds to minutes, and networks run on another thread.
 */
export class CompletionService {
  private readonly turns = new Map<string, Turns>();
  private readonly metrics: LanguageMetrics;
  private isDraining = false;

  constructor(private readonly options: CompletionServiceOptions) {
    const states = (): ReadonlyMap<string, Turns['state']> =>
      new Map([...this.turns].map(([model, { state }]) => [model, state]));
    this.metrics = new LanguageMetrics(options.registry, states);
  }

  nowMs(): number {
    return this.options.nowMs();
  }

  models(): readonly ServedLanguageModel[] {
    return this.options.languages.list();
  }

  /** @throws SluiceError `not-found`. */
  model(name: string): ServedLanguageModel {
    const models = this.models();
    const model = models.find((candidate) => candidate.name === name);
    if (model) return model;
    const names = models.map((candidate) => candidate.name).join(', ') || 'none';
    throw new SluiceError(
      'not-found',
      `There is no language model "${name.slice(0, 100)}" here; language models: ${names}.`,
      {
        param: 'model',
        apiCode: 'model_not_found',
      },
    );
  }

  /**
   * Which model is meant stands in the body; this says what can be said before it is read.
   * @throws SluiceError `unavailable` while draining, `overloaded` when no model has room.
   */
  checkRoom(): void {
    this.refuseWhileDraining();
    const refusals: unknown[] = [];
    const models = this.models();
    for (const { name } of models) {
      try {
        this.turns.get(name)?.checkRoom();
      } catch (thrown) {
        refusals.push(thrown);
      }
    }
    if (refusals.length > 0 && refusals.length === models.length) throw refusals[0];
  }

  /**
   * @param call its signal aborts when whoever asked is gone.
   * @throws SluiceError `not-found`, `unavailable`, `overloaded`, `cancelled`, and as `LanguageService.complete`.
   */
  async complete(request: CompletionRequest, call: CompletionCall): Promise<CompletionReply> {
    const model = this.model(request.model);
    const { name } = model;
    const startedMs = this.nowMs();
    try {
      this.refuseUnready(model);
      const onFirst = (): void => this.metrics.firstToken(name, Math.max(0, this.nowMs() - startedMs));
      const { completion, queueMs } = await this.turnsOf(name).take(
        call.signal,
        async (waitedMs, signal) => ({
          completion: await this.inTurn(request, { ...call, signal }, onFirst),
          queueMs: waitedMs,
        }),
      );
      this.metrics.succeeded(name, queueMs, completion);
      return { model, completion, queueMs };
    } catch (thrown) {
      const error = SluiceError.from(thrown);
      this.metrics.failed(name, error.code);
      throw error;
    }
  }

  /**
   * Uses a model at its turn among the replies.
   * @param signal aborts when whoever asked is gone.
   * @throws SluiceError `not-found`, `unavailable`, `overloaded`, `cancelled`, and what the work throws.
   */
  async useModel<T>(
    name: string,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    this.refuseUnready(this.model(name));
    return this.turnsOf(name).take(signal, (_waitedMs, turnSignal) => work(turnSignal));
  }

  /** Accepts nothing more. Resolves when everything accepted is answered, or was abandoned after `patienceMs`. */
  async drain(patienceMs: number): Promise<void> {
    this.isDraining = true;
    await Promise.all([...this.turns.values()].map((turns) => turns.drain(patienceMs)));
  }

  /** @throws SluiceError `cancelled` for a reply that was not ended. */
  private async inTurn(
    request: CompletionRequest,
    { signal, onPiece }: CompletionCall,
    onFirst: () => void,
  ): Promise<Completion> {
    const { model } = request;
    let counted: number | undefined;
    const completion = await this.options.languages.complete(request, {
      signal,
      onPiece: (piece) => {
        if (counted === undefined) onFirst();
        counted = (counted ?? 0) + piece.tokens.length;
        this.metrics.generated(model, piece.tokens.length);
        return onPiece(piece);
      },
    });
    // An end token, or those of a stop string, came with no text.
    this.metrics.generated(model, Math.max(0, completion.completionTokens - (counted ?? 0)));
    if (completion.finishReason !== 'cancelled') return completion;
    throw new SluiceError('cancelled', 'Whoever asked is gone.');
  }

  private turnsOf(name: string): Turns {
    const known = this.turns.get(name);
    if (known) return known;
    const turns = new Turns(this.options.queueCapacity, this.options.nowMs);
    this.turns.set(name, turns);
    return turns;
  }

  private refuseUnready({ name, isReady, reason = '' }: ServedLanguageModel): void {
    this.refuseWhileDraining();
    if (isReady) return;
    throw new SluiceError('unavailable', `${name} is not served now: ${reason}`, { name });
  }

  private refuseWhileDraining(): void {
    if (!this.isDraining) return;
    throw new SluiceError('unavailable', 'The server is shutting down; ask another endpoint.');
  }
}
