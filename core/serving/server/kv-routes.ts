import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';

import { SluiceError } from '../../contract';
import { readFrame } from '../protocol/frame';
import { parseMessage } from '../protocol/schemas';
import type { CompletionService } from './completion-service';
import type { KvPrefixes } from './kv-prefixes';
import { signalOf } from './signal-of';

const BLOCK_TOKENS = 128;
const MOST_BLOCKS = 2 ** 13;
/** A token takes up to eleven characters. */
const LARGEST_BODY_BYTES = 16 * 2 ** 20;
/** Layers on their way at once; each is in memory until it is sent. */
const MOST_TRANSFERS = 16;
const RETRY_AFTER_SEC = 1;

const ID = /^[0-9a-f]{64}$/;
const isHashes = (value: unknown): value is string[] =>
  Array.isArray(value) &&
  value.length <= MOST_BLOCKS &&
  value.every((hash) => typeof hash === 'string' && ID.test(hash));
const isTokens = (value: unknown): value is number[] =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.length <= MOST_BLOCKS * BLOCK_TOKENS &&
  value.length % BLOCK_TOKENS === 0 &&
  value.every((token) => Number.isInteger(token) && token >= 0 && token < 2 ** 32);
/** Both lists are checked as a whole: there may be a million faults, and one is enough. */
const findSchema = z.object({
  hashes: z.custom<string[]>(isHashes, `expected at most ${MOST_BLOCKS} texts of 64 hexadecimal digits`),
});
const prefillSchema = z.object({
  model: z.string().min(1).max(256),
  identity: z
    .record(z.string().max(64), z.string().max(256))
    .refine((identity) => Object.keys(identity).length <= 16, 'expected at most 16 members'),
  tokens: z.custom<number[]>(
    isTokens,
    `expected token numbers, 1 to ${MOST_BLOCKS} whole blocks of ${BLOCK_TOKENS}`,
  ),
});
const layerSchema = z.object({
  id: z.string().regex(ID, 'expected 64 hexadecimal digits'),
  layer: z.coerce.number().int().min(0).max(4095),
  blocks: z.coerce.number().int().min(1).max(MOST_BLOCKS),
});

export interface KvRoutesOptions {
  readonly prefixes: KvPrefixes;
  /** Whose turns computing takes. */
  readonly completions: CompletionService;
  /** Of a request; more than 16 MiB is refused anyway. */
  readonly bodyBytes: number;
  /** See `ServerLimits`. */
  readonly stallMs: number;
}

type LayerRequest = FastifyRequest<{
  readonly Params: { readonly id: string; readonly layer: string };
  readonly Querystring: { readonly blocks?: string };
}>;

/** Full caches for other nodes; for a scope whose prefix is `/v1/kv`. */
export function addKvRoutes(app: FastifyInstance, options: KvRoutesOptions): void {
  const { prefixes, completions, stallMs } = options;
  const bodyLimit = Math.min(LARGEST_BODY_BYTES, options.bodyBytes);
  let transfers = 0;
  app.post('/find', { bodyLimit }, ({ body }) => {
    const { hashes } = parseMessage('The request', findSchema, jsonOf(body));
    return { prefix: prefixes.find(hashes) ?? null };
  });
  app.post('/prefill', {
    bodyLimit,
    onRequest: async () => completions.checkRoom(),
    handler: ({ body }, reply: FastifyReply) => {
      const request = parseMessage('The request', prefillSchema, jsonOf(body));
      return completions.useModel(request.model, signalOf(reply), (signal) =>
        prefixes.prefill(request, signal),
      );
    },
  });
  app.get('/:id/layers/:layer', async ({ params, query }: LayerRequest, reply) => {
    const asked = parseMessage('The request', layerSchema, { ...params, blocks: query.blocks });
    if (transfers >= MOST_TRANSFERS) {
      const details = { retryAfterSec: RETRY_AFTER_SEC };
      throw new SluiceError('overloaded', `${transfers} layers are on their way already.`, details);
    }
    if (reply.raw.destroyed) throw new SluiceError('cancelled', 'Whoever asked is gone.');
    transfers += 1;
    reply.raw.once('close', () => (transfers -= 1));
    // Whoever takes nothing for so long does not keep the memory.
    reply.raw.setTimeout(stallMs, () => reply.raw.destroy());
    const body = await prefixes.layer(asked.id, asked.layer, asked.blocks);
    return reply.header('content-type', 'application/octet-stream').send(body);
  });
}

function jsonOf(body: unknown): unknown {
  return readFrame('The request', body instanceof Uint8Array ? body : new Uint8Array(0), undefined).json;
}
