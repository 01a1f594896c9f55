import { isUtf8 } from 'node:buffer';

import type { z } from 'zod';

import { SluiceError } from '../../contract';
import { parseInput } from '../store/parse-input';

/** What a request asks for. @param input a query, or a parsed body. @throws SluiceError `bad-input` that lists the faults. */
export function parseRequest<S extends z.ZodType>(schema: S, input: unknown): z.output<S> {
  return parseInput('The request', schema, input);
}

/**
 * A request's JSON body; one without a body asks for nothing.
 * @param body as the lab's server hands it over: bytes. @throws SluiceError `bad-input`.
 */
export function parseJsonBody<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  const bytes = body instanceof Uint8Array ? body : new Uint8Array();
  return parseRequest(schema, bytes.byteLength === 0 ? {} : jsonOf(bytes));
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    if (!isUtf8(bytes)) throw new SyntaxError('bytes that are not UTF-8');
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause);
    const message = `The request: expected ${bytes.byteLength} bytes of JSON, found ${found.slice(0, 200)}.`;
    throw new SluiceError('bad-input', message, {}, { cause });
  }
}
