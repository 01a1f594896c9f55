import { Counter, Gauge, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';

import type { ErrorCode } from '../../contract';
import type { Completion } from './language-service';
import type { QueueState } from './request-queue';

/** Bucket borders from a short prompt to a long one on a slow processor. */
const SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];
const TOKENS_PER_SECOND = [0.5, 1, 2, 5, 10, 20, 30, 50, 75, 100, 200, 500, 1000];

/** Prometheus figures of a server's language models. */
export class LanguageMetrics {
  private readonly requests: Counter<'model' | 'outcome'>;
  private readonly promptTokens: Counter<'model'>;
  private readonly generatedTokens: Counter<'model'>;
  private readonly queueSeconds: Histogram<'model'>;
  private readonly firstTokenSeconds: Histogram<'model'>;
  private readonly tokensPerSecond: Histogram<'model'>;

  /** @param queues of the models asked for so far, when the figures are read. */
  constructor(registry: Registry, queues: () => ReadonlyMap<string, QueueState>) {
    const registers = [registry];
    const labelNames = ['model'] as const;
    const histogram = (name: string, help: string, buckets: number[]): Histogram<'model'> =>
      new Histogram({ name, help, labelNames, buckets, registers });
    const counter = (name: string, help: string): Counter<'model'> =>
      new Counter({ name, help, labelNames, registers });
    this.requests = new Counter({
      name: 'sluice_language_requests_total',
      help: 'Requests to language models by outcome: ok, or the error code.',
      labelNames: ['model', 'outcome'],
      registers,
    });
    this.promptTokens = counter(
      'sluice_language_prompt_tokens_total',
      'Tokens of prompts that were answered.',
    );
    this.generatedTokens = counter('sluice_language_generated_tokens_total', 'Tokens that were generated.');
    this.queueSeconds = histogram(
      'sluice_language_queue_seconds',
      'Time requests waited for their model.',
      SECONDS,
    );
    this.firstTokenSeconds = histogram(
      'sluice_language_first_token_seconds',
      'From a request to the first text of its reply: queue, loading and prompt.',
      SECONDS,
    );
    this.tokensPerSecond = histogram(
      'sluice_language_tokens_per_second',
      'Rate at which replies were generated, without their prompts.',
      TOKENS_PER_SECOND,
    );
    addQueueGauges(registry, queues);
  }

  firstToken(model: string, afterMs: number): void {
    this.firstTokenSeconds.observe({ model }, afterMs / 1000);
  }

  generated(model: string, tokens: number): void {
    this.generatedTokens.inc({ model }, tokens);
  }

  succeeded(model: string, queueMs: number, { promptTokens, tokensPerSec }: Completion): void {
    this.requests.inc({ model, outcome: 'ok' });
    this.queueSeconds.observe({ model }, queueMs / 1000);
    this.promptTokens.inc({ model }, promptTokens);
    if (tokensPerSec > 0) this.tokensPerSecond.observe({ model }, tokensPerSec);
  }

  failed(model: string, code: ErrorCode): void {
    this.requests.inc({ model, outcome: code });
  }
}

function addQueueGauges(registry: Registry, queues: () => ReadonlyMap<string, QueueState>): void {
  const gauge = (name: string, help: string, read: (state: QueueState) => number): Gauge<'model'> =>
    new Gauge({
      name,
      help,
      labelNames: ['model'],
      registers: [registry],
      collect() {
        for (const [model, state] of queues()) this.set({ model }, read(state));
      },
    });
  gauge('sluice_language_queue_length', 'Requests waiting for the model.', ({ waiting }) => waiting);
  gauge(
    'sluice_language_queue_capacity',
    'Requests that may wait for the model.',
    ({ capacity }) => capacity,
  );
  gauge('sluice_language_running', 'Requests the model is answering.', ({ isBusy }) => (isBusy ? 1 : 0));
}
