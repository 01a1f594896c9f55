import { randomUUID } from 'node:crypto';

import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import { SluiceError } from '../../contract';
import { CHAT_FORMAT, modelEntry, TEXT_FORMAT } from '../protocol/openai/answers';
import type { AnswerFormat, AnswerHead } from '../protocol/openai/answers';
import { apiError } from '../protocol/openai/errors';
import { parseChatRequest, parseTextRequest } from '../protocol/openai/requests';
import type { ApiRequest } from '../protocol/openai/requests';
import type { CompletionService } from './completion-service';
import { EventStream } from './event-stream';
import { signalOf } from './signal-of';

/** Tensors are large, texts are not. */
const LARGEST_BODY_BYTES = 16 * 2 ** 20;

export interface OpenAiRoutesOptions {
  readonly completions: CompletionService;
  /** Of a request; more than 16 MiB is refused anyway. */
  readonly bodyBytes: number;
  /** See `ServerLimits`. */
  readonly stallMs: number;
}

/** OpenAI's API for language models, errors in its form too; for a scope whose prefix is `/v1`. */
export function addOpenAiRoutes(app: FastifyInstance, options: OpenAiRoutesOptions): void {
  const { completions } = options;
  const bodyLimit = Math.min(LARGEST_BODY_BYTES, options.bodyBytes);
  app.setErrorHandler((thrown: FastifyError | SluiceError, _request, reply) => sendError(thrown, reply));
  app.setNotFoundHandler((request, reply) => sendError(noRoute(request), reply));
  app.get('/models', () => ({
    object: 'list',
    data: completions
      .models()
      .filter(({ isReady }) => isReady)
      .map(modelEntry),
  }));
  app.get('/models/:model', ({ params }: FastifyRequest<{ readonly Params: { readonly model: string } }>) =>
    modelEntry(completions.model(params.model)),
  );
  const addCompletions = (
    path: string,
    parse: (body: Uint8Array) => ApiRequest,
    format: AnswerFormat,
  ): unknown =>
    app.post(path, {
      bodyLimit,
      onRequest: async () => completions.checkRoom(),
      handler: ({ body }, reply: FastifyReply) => {
        const request = parse(body instanceof Uint8Array ? body : new Uint8Array(0));
        return request.isStreamed
          ? stream(request, format, reply, options)
          : answer(request, format, reply, options);
      },
    });
  addCompletions('/chat/completions', parseChatRequest, CHAT_FORMAT);
  addCompletions('/completions', parseTextRequest, TEXT_FORMAT);
}

async function answer(
  request: ApiRequest,
  format: AnswerFormat,
  reply: FastifyReply,
  { completions }: OpenAiRoutesOptions,
): Promise<object> {
  const head = headOf(request, format, completions);
  const call = { signal: signalOf(reply), onPiece: () => undefined };
  return format.whole(head, await completions.complete(request, call));
}

async function stream(
  request: ApiRequest,
  format: AnswerFormat,
  reply: FastifyReply,
  { completions, stallMs }: OpenAiRoutesOptions,
): Promise<FastifyReply> {
  const head = headOf(request, format, completions);
  const events = new EventStream(reply.raw, stallMs);
  const begin = async (): Promise<void> => {
    if (events.hasBegun) return;
    reply.hijack();
    for (const chunk of format.first(head)) await events.send(chunk);
  };
  try {
    const answered = await completions.complete(request, {
      signal: signalOf(reply),
      onPiece: async ({ text }) => {
        await begin();
        await events.send(format.piece(head, text));
      },
    });
    await begin();
    await events.send(format.last(head, answered));
    if (request.includesUsage) await events.send(format.usage(head, answered));
    events.done();
  } catch (thrown) {
    if (!events.hasBegun) throw thrown;
    events.fail(apiError(thrown).body);
  }
  return reply;
}

/** @throws SluiceError `not-found`. */
function headOf(
  { model, includesUsage }: ApiRequest,
  { idPrefix }: AnswerFormat,
  completions: CompletionService,
): AnswerHead {
  return {
    id: `${idPrefix}${randomUUID().replaceAll('-', '')}`,
    created: Math.floor(completions.nowMs() / 1000),
    model: completions.model(model),
    includesUsage,
  };
}

function noRoute({ method, url }: FastifyRequest): SluiceError {
  return new SluiceError(
    'not-found',
    `${method} ${url.slice(0, 200)} is not here; there are POST /v1/chat/completions and /v1/completions, GET /v1/models.`,
    { apiCode: 'unknown_url' },
  );
}

/** The framework's own refusals (too large, wrong length, ...) keep their status. */
function sendError(thrown: FastifyError | SluiceError, reply: FastifyReply): void {
  const own = thrown instanceof SluiceError ? undefined : thrown.statusCode;
  const { status, body } = apiError(thrown, own);
  const { retryAfterSec } = SluiceError.from(thrown).details;
  if (typeof retryAfterSec === 'number') void reply.header('retry-after', retryAfterSec);
  void reply.code(status).send(body);
}
